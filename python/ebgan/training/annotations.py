"""Checks of a configuration's values by the annotations of its fields."""

from __future__ import annotations

from numbers import Real
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ebgan.errors import UserError, did_you_mean


def fits(value: object, annotation: Any) -> bool:
    """Whether a value is of a field's type: a scalar, one of a Literal, None, or of a union of these.

    The type must be the very same, but for a whole number where a float is asked for.
    """
    if get_origin(annotation) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return any(fits(value, part) for part in get_args(annotation))
    return type(value) is annotation or (annotation is float and type(value) is int)


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values that the Literals in an annotation list; none where there is no Literal in it."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
    return tuple(choice for part in parts for choice in choices(part))


def check_choices(config: object) -> None:
    """Raise `UserError` where a field of the dataclass `config` has a value that no Literal of it lists."""
    for name, annotation in get_type_hints(type(config)).items():
        value, allowed = getattr(config, name), choices(annotation)
        is_number = float in get_args(annotation) and isinstance(value, Real) and not isinstance(value, bool)
        if allowed and not is_number and not fits(value, annotation):
            near = did_you_mean(value, allowed)
            words = ", ".join(map(str, allowed)) + (" and numbers" if float in get_args(annotation) else "")
            raise UserError(f"{name}: got {value!r}, allowed are {words}{near}")

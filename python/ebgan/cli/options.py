"""Options made from a configuration: each may be left out, and then has the value of the chosen preset."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro


def option(help: str, default: str = "", *, kind: Any = Path) -> Any:
    """The `--help` of an option of type `kind` that may be left out, and what it is then."""
    hint = f"(default: {default})" if default else ""
    return tyro.conf.arg(help=help, help_behavior_hint=hint, metavar=_metavar(kind))


def overrides(config_type: type, presets: Mapping[str, Any], *, base: type) -> type:
    """The dataclass `base` with the fields of `config_type` that it lacks, None by default.

    `--help` shows the value of every preset, or the one value where all agree.
    """
    types = get_type_hints(config_type, include_extras=True)
    there = {field.name for field in dataclasses.fields(base)}
    fields = []
    for field in dataclasses.fields(config_type):
        if field.name in there:
            continue
        values = {name: getattr(preset, field.name) for name, preset in presets.items()}
        annotation, help = get_args(types[field.name])
        argument = tyro.conf.arg(
            help=help.text, help_behavior_hint=_defaults(values, help.unset), metavar=_metavar(annotation)
        )
        fields.append((field.name, Annotated[annotation | None, argument], None))
    return dataclasses.make_dataclass("Options", fields, bases=(base,), frozen=True, kw_only=True)


def given(command: Any, base: type) -> dict[str, Any]:
    """The values that the user gave of the fields that `overrides` added to `base`."""
    own = {field.name for field in dataclasses.fields(base)}
    return {name: value for name, value in vars(command).items() if name not in own and value is not None}


def _defaults(values: Mapping[str, Any], unset: str) -> str:
    presets: dict[Any, list[str]] = {}
    for name, value in values.items():
        presets.setdefault(value, []).append(name)
    default = max(presets, key=lambda value: len(presets[value]))
    others = [
        f"{', '.join(names)}: {value}" for value, names in presets.items() if value not in (default, None)
    ]
    return "; ".join([f"(default: {unset if default is None else default}", *others]) + ")"


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):  # with None, the value of an option that is left out
        (annotation,) = (kind for kind in get_args(annotation) if kind is not type(None))
    if get_origin(annotation) is Literal:
        return "{" + ",".join(map(str, get_args(annotation))) + "}"
    return "{True,False}" if annotation is bool else str(annotation.__name__).upper()

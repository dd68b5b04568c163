"""Options made from what systems say of themselves: each may be left out, and has its default then."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro

from ebgan.training import Description


def option(help: str, default: str = "", *, kind: Any = Path) -> Any:
    """The `--help` of an option of type `kind` that may be left out, and what it is then."""
    hint = f"(default: {default})" if default else ""
    return tyro.conf.arg(help=help, help_behavior_hint=hint, metavar=_metavar(kind))


Field = tuple[str, Any, None]  # as `dataclasses.make_dataclass` takes one


def training_options(system: Description[Any, Any]) -> list[Field]:
    """The options of `ebgan train` that are fields of the configuration, those that choose a preset first.

    `--help` shows the value of every preset, or the one value where all agree.
    """
    types = get_type_hints(system.config, include_extras=True)
    names = [field.name for field in dataclasses.fields(system.config) if field.name not in system.choosing]
    hints = {name: f"(default: {default})" for name, default in system.choosing.items()}
    fields: list[Field] = []
    for name in (*hints, *names):
        annotation, help = get_args(types[name])
        if name not in hints:
            presets = {key: getattr(preset, name) for key, preset in system.presets.items()}
            hints[name] = _defaults(presets, help.unset)
        argument = tyro.conf.arg(help=help.text, help_behavior_hint=hints[name], metavar=_metavar(annotation))
        fields.append((name, Annotated[annotation | None, argument], None))
    return fields


def evaluation_options(systems: Iterable[Description[Any, Any]]) -> list[Field]:
    """The options of `ebgan evaluate` that some system takes, each with the help of all that take it."""
    helps: dict[str, list[str]] = {}
    for system in systems:
        for name, (text, default) in system.evaluation.items():
            helps.setdefault(name, []).append(f"{system.name}: {text} (default: {default})")
    return [
        (name, Annotated[int | None, option("; ".join(texts), kind=int)], None)
        for name, texts in helps.items()
    ]


def given(command: Any, fields: Iterable[str]) -> dict[str, Any]:
    """The values of those `fields` of a command that the user gave."""
    return {name: getattr(command, name) for name in fields if getattr(command, name) is not None}


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


DATA_ROOT = option(
    "folder of the data sets; of images and videos their own folder, or a zip of images",
    "EBGAN_DATA of the environment",
)

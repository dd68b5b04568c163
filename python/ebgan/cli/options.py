"""Options of the command line, made from the descriptions of the systems; each may be left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro

from ebgan.training import Description

_METAVARS = {bool: "{True,False}", str: "TEXT"}


def option(help: str, default: str = "", *, kind: Any = Path) -> Any:
    """The `--help` of an option of type `kind` that may be left out, and what it is then."""
    hint = f"(default: {default})" if default else ""
    return tyro.conf.arg(help=help, help_behavior_hint=hint, metavar=_metavar(kind))


Field = tuple[str, Any, None]  # a field as `dataclasses.make_dataclass` takes it


def training_options(system: Description[Any, Any]) -> list[Field]:
    """The options of `ebgan train` that are fields of the configuration, those that choose a preset first.

    `--help` shows the value of the preset that is chosen by default, and of others where they differ.
    """
    types = get_type_hints(system.config, include_extras=True)
    names = [field.name for field in dataclasses.fields(system.config) if field.name not in system.choosing]
    hints: dict[str, str] = {}
    fields: list[Field] = []
    for name in (*system.choosing, *names):
        annotation, help = get_args(types[name])
        if name in system.choosing:
            hints[name] = f"(default: {_text(system.choosing[name], help.unset)})"
        else:
            presets = {key: getattr(preset, name) for key, preset in system.presets.items()}
            hints[name] = _defaults(getattr(system.preset(), name), presets, help.unset)
        argument = tyro.conf.arg(help=help.text, help_behavior_hint=hints[name], metavar=_metavar(annotation))
        fields.append((name, Annotated[annotation | None, argument], None))
    return fields


def evaluation_options(systems: Iterable[Description[Any, Any]]) -> list[Field]:
    """The options of `ebgan evaluate` that some system takes, each with the help of all that take it."""
    helps: dict[str, list[str]] = {}
    kinds: dict[str, Any] = {}
    for system in systems:
        for name, (kind, help, default) in system.evaluation.items():
            shown = _text(default, help.unset)
            helps.setdefault(name, []).append(f"For {system.name}: {help.text} (default: {shown})")
            kinds[name] = kind
    return [
        (name, Annotated[kinds[name] | None, option(" ".join(texts), kind=kinds[name])], None)
        for name, texts in helps.items()
    ]


def given(command: Any, fields: Iterable[str]) -> dict[str, Any]:
    """The values of those `fields` of a command that the user gave."""
    return {name: getattr(command, name) for name in fields if getattr(command, name) is not None}


def _defaults(default: Any, values: Mapping[str, Any], unset: str) -> str:
    """The default, and presets with another value; without a word "mnist --model gan" has that of "mnist"."""
    presets: dict[Any, list[str]] = {}
    for name, value in values.items():
        implied = values.get(name.partition(" --")[0], default) if " --" in name else default
        if value != implied and (value is not None or unset):
            presets.setdefault(value, []).append(name)
    others = [f"{', '.join(names)}: {_text(value, unset)}" for value, names in presets.items()]
    return "; ".join([f"(default: {_text(default, unset)}", *others]) + ")"


def _text(value: Any, unset: str) -> str:
    if value is None:
        return unset
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _metavar(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):  # None is the value of an option that is left out
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return "|".join(map(_metavar, kinds))
    if get_origin(annotation) is Literal:
        return "{" + ",".join(map(str, get_args(annotation))) + "}"
    return _METAVARS.get(annotation) or str(annotation.__name__).upper()


DataRoot = Annotated[
    Path | None,
    option(
        "Folder that holds the data sets. For --data images or videos it is the folder of the files, for "
        "images also a zip or tar.",
        "the one that the run was trained with, else the environment variable EBGAN_DATA",
    ),
]
CheckpointStep = Annotated[
    int | None,
    option(
        "Step of the checkpoint to use; --keep of the training tells how many there are.",
        "the newest",
        kind=int,
    ),
]
TrainedRun = tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
Device = Annotated[
    str,
    option("Device: auto, cpu, cuda or cuda:NUMBER; auto is CUDA where there is one.", "auto", kind=str),
]

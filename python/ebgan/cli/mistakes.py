"""What is wrong with arguments that cannot be parsed, in words that name the nearest that can."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import tyro

from ebgan.cli.tree import Group, found
from ebgan.errors import did_you_mean

_POSITIONAL = get_args(tyro.conf.Positional[int])[1]
_NUMBERS = {int: "a whole number", float: "a number"}


def explanation(arguments: Sequence[str]) -> str:
    """The first mistake in `arguments`, as one line; empty where none of the known kinds is found."""
    node, left = found(arguments)
    if isinstance(node, Group):
        known = ", ".join(node.commands)
        if not left:
            where = " ".join(["ebgan", *arguments])
            return f"{where}: a command is missing, allowed are {known}; see {where} --help"
        kind = "option" if left[0].startswith("-") else "command"
        nearest = did_you_mean(left[0], node.commands)
        return f"unknown {kind} {left[0]!r}: allowed are {known}{nearest}; see --help"
    return _in_options(node.command, left)


def option_names(command: type[Any]) -> dict[str, str]:
    """Each option of a command as it is typed, by the name of its field."""
    return {each.name: each.typed for each in arguments_of(command) if not each.positional}


def _in_options(command: type[Any], words: Sequence[str]) -> str:
    options = {each.typed: each for each in arguments_of(command) if not each.positional}
    positionals = [each for each in arguments_of(command) if each.positional]
    flags = {each.typed for each in options.values() if each.flag}
    flags |= {f"--no-{option.removeprefix('--')}" for option in flags}
    left, bare, given = list(words), 0, set()
    while left:
        word, equals, value = left.pop(0).partition("=")
        if not word.startswith("--"):
            bare += 1
            if bare > len(positionals):
                return f"{word}: is no option{did_you_mean(word, options)}; see --help"
            continue
        option = word.replace("_", "-")
        if option in flags:
            continue
        if option not in options:
            return f"{word}: is no option{did_you_mean(option, [*options, *flags])}; see --help"
        given.add(option)
        if not equals and (not left or left[0].startswith("--")):
            return f"{option}: its value is missing, allowed is {options[option].expected}"
        value = value if equals else left.pop(0)
        if not options[option].takes(value):
            near = did_you_mean(value, options[option].choices)
            return f"{option}: got {value!r}, allowed is {options[option].expected}{near}"
    missing = [each.metavar for each in positionals[bare:]]
    missing += [option for option, each in options.items() if each.required and option not in given]
    return f"{missing[0]}: is missing; see --help" if missing else ""


@dataclass(frozen=True)
class Argument:
    """An option or positional argument: a field of a command, its types without None, and its metavar."""

    name: str
    kinds: tuple[Any, ...]
    positional: bool
    flag: bool
    required: bool
    metavar: str

    @property
    def typed(self) -> str:
        return f"--{self.name.replace('_', '-')}"

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(choice for kind in self.kinds for choice in _choices(kind))

    @property
    def expected(self) -> str:
        return " or ".join(map(_expected, self.kinds))

    def takes(self, value: str) -> bool:
        return any(_takes(kind, value) for kind in self.kinds)


def arguments_of(command: type[Any]) -> Iterator[Argument]:
    types = get_type_hints(command, include_extras=True)
    for field in dataclasses.fields(command):
        kinds, extras = _plain(types[field.name])
        named = [each.metavar for each in extras if getattr(each, "metavar", None)]
        yield Argument(
            name=field.name,
            kinds=kinds,
            positional=_POSITIONAL in extras,
            flag=types[field.name] is bool,
            required=field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            metavar=named[0] if named else field.name.upper(),
        )


def _choices(kind: Any) -> tuple[str, ...]:
    if kind is bool:
        return ("True", "False")
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def _expected(kind: Any) -> str:
    if choices := _choices(kind):
        return ", ".join(choices)
    return _NUMBERS.get(kind, f"a {kind.__name__.lower()}".replace("a str", "a text"))


def _takes(kind: Any, value: str) -> bool:
    if choices := _choices(kind):
        return value in choices
    try:
        kind(value)
    except ValueError:
        return False
    return True


def _plain(annotation: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """The types in an annotation, without None, and what is annotated to it."""
    extras: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        extras = tuple(more)
    if get_origin(annotation) in (Union, UnionType):
        return tuple(kind for kind in get_args(annotation) if kind is not NoneType), extras
    return (annotation,), extras

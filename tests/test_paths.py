"""Every public function of `ebgan` takes a path as a string, a `Path` or whatever else names one."""

from __future__ import annotations

import dataclasses
import inspect
import os
import pkgutil
import types
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest

import ebgan
from ebgan.files import StrPath


def packages() -> Iterator[types.ModuleType]:
    """Every package but that of the command line, which makes a Path of its arguments, and public modules."""
    for found in pkgutil.walk_packages(ebgan.__path__, "ebgan."):
        if found.ispkg and found.name != "ebgan.cli":
            yield import_module(found.name)
    yield from (import_module("ebgan.systems"), import_module("ebgan.files"))


def public(package: types.ModuleType) -> Iterator[tuple[str, Any]]:
    """The public functions and classes of a package, by their full names."""
    own = [
        name for name, each in vars(package).items() if getattr(each, "__module__", "") == package.__name__
    ]
    for name in getattr(package, "__all__", own):
        yield f"{package.__name__}.{name}", getattr(package, name)


def functions() -> Iterator[tuple[str, Any]]:
    """All that can be called in a public way and has annotations; of a dataclass, itself."""
    for package in packages():
        for name, thing in public(package):
            if not inspect.isclass(thing):
                yield from [(name, thing)] if inspect.isroutine(thing) else []
                continue
            if dataclasses.is_dataclass(thing):
                yield name, thing
            for method, function in inspect.getmembers(thing, inspect.isroutine):
                made = method == "__init__" and not dataclasses.is_dataclass(thing)
                if str(getattr(function, "__module__", "")).startswith("ebgan") and (
                    made or method[0] != "_"
                ):
                    yield f"{name}.{method}", function


def parts(annotation: Any) -> set[Any]:
    """The types of which an annotation is the union."""
    if get_origin(annotation) is Annotated:
        return parts(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return set().union(*map(parts, get_args(annotation)))
    return {annotation}


def of_paths() -> Iterator[tuple[str, set[Any]]]:
    for name, function in functions():
        hints = get_type_hints(function, include_extras=True)
        for argument, annotation in hints.items():
            if argument != "return" and parts(annotation) & {Path, os.PathLike[str], os.PathLike}:
                yield f"{name}({argument})", parts(annotation)


TAKES = {name: kinds for name, kinds in of_paths()}


def test_functions_of_every_folder_are_looked_at():
    owners = {name.split(".")[1] for name in TAKES}
    assert owners >= {"data", "files", "gan", "ladder", "pictures", "systems", "training", "video"}
    assert {"ebgan.gan.trained_generator(path)", "ebgan.training.RunFolder.__init__(path)"} <= TAKES.keys()
    assert {"ebgan.training.Description.train(out)", "ebgan.video.RollOut.write(folder)"} <= TAKES.keys()


@pytest.mark.parametrize("name", sorted(TAKES))
def test_a_path_may_be_a_string(name):
    assert parts(StrPath) <= TAKES[name], f"{name} takes {TAKES[name]}"

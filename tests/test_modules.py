"""What holds for every module of both packages: the meta device can hold it, and help() explains it."""

from __future__ import annotations

import inspect
import re

import pytest
import torch
from torch import nn

from ebgan_kernels.ops.module import Module
from support.modules import BASES, MODULES, classes_of_packages

CLASSES = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)


def test_the_table_holds_every_module_of_the_packages() -> None:
    assert classes_of_packages() == {*MODULES, *BASES}


@CLASSES
def test_a_module_can_be_shown_and_copied_to_the_meta_device(module: type[nn.Module]) -> None:
    with torch.device("meta"):
        made = MODULES[module]()
    moved = MODULES[module]().to("meta")
    for each in (made, moved):
        assert type(each).__name__ in repr(each) and repr(each) == repr(made)
        assert all(tensor.is_meta for tensor in [*each.parameters(), *each.buffers()])


def documented(text: str | None) -> set[str]:
    """The names that a docstring explains under "Args:"."""
    arguments = re.search(r"^Args:\n((?: .*\n|\n)*)", inspect.cleandoc(text or "") + "\n", re.MULTILINE)
    return set(re.findall(r"^    (\w+): \S", arguments[1], re.MULTILINE)) if arguments else set()


def parameters(callable: object) -> list[inspect.Parameter]:
    return [each for each in inspect.signature(callable).parameters.values() if each.name != "self"]  # type: ignore[arg-type]


@CLASSES
def test_help_shows_and_explains_what_a_module_is_made_of(module: type[nn.Module]) -> None:
    wanted = {each.name for each in parameters(module)}
    assert not {"args", "kwargs"} & wanted, "define __init__, so that help shows what it takes"
    made_by = next(each for each in module.__mro__ if "__init__" in vars(each))
    if made_by is not nn.Module and made_by is not nn.Conv2d:  # which torch explains
        assert wanted == documented(made_by.__doc__)


@CLASSES
def test_help_shows_and_explains_what_forward_takes(module: type[nn.Module]) -> None:
    if module.forward is nn.Module.forward:  # a layer with methods of its own
        assert not {"args", "kwargs"} & {each.name for each in parameters(module)}
        return
    taken = parameters(module.forward)
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    assert all(each.kind in kinds for each in taken)
    assert all(each.annotation is not inspect.Parameter.empty for each in taken)
    assert {each.name for each in taken} == documented(inspect.getdoc(module.forward))
    assert issubclass(module, Module), "its calls would be Any to a type checker"

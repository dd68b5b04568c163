"""The examples in the docstrings run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import inspect
from types import ModuleType

import pytest

import ebgan_kernels as ek
from ebgan_kernels import backends
from ebgan_kernels.ops import energy_modules, gdl_scales
from support.operators import OPERATORS

FAMILIES = [importlib.import_module(f"ebgan_kernels.ops.{family}") for family in backends.OPERATOR_FAMILIES]


@pytest.mark.parametrize(
    "module", [backends, *FAMILIES, energy_modules, gdl_scales], ids=lambda module: module.__name__
)
def test_examples_of_a_module_run(module: ModuleType) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0 and results.failed == 0


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in ek.__all__
        if inspect.isroutine(getattr(ek, name)) or inspect.isclass(getattr(ek, name))
    ],
)
def test_every_public_name_says_what_it_is(name: str) -> None:
    assert (getattr(ek, name).__doc__ or "").strip()


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_documents_its_contract(name: str) -> None:
    documentation = getattr(ek, name).__doc__
    for part in ("Args:", "Returns:", "Gradients:", "Errors:", "Memory:", "Source:", "Example:"):
        assert part in documentation, part

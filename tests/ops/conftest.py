"""The implementation under test: every test that asks for one runs with each that this machine can run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import ebgan_kernels as ek
from support.implementations import missing


def _insist(name: ek.Backend) -> Iterator[ek.Backend]:
    if reason := missing(name):
        pytest.skip(f"{name} is {reason}")
    with ek.backend(name):
        yield name


@pytest.fixture(params=ek.BACKENDS)
def implementation(request: pytest.FixtureRequest) -> Iterator[ek.Backend]:
    """Any implementation, insisted on during the test."""
    yield from _insist(request.param)


@pytest.fixture(params=[name for name in ek.BACKENDS if name != "reference"])
def kernels(request: pytest.FixtureRequest) -> Iterator[ek.Backend]:
    """An implementation with kernels and an autograd of its own, insisted on during the test."""
    yield from _insist(request.param)

"""The implementation under test: every test that asks for one runs with each that this machine can run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.native.gradient import INSTRUCTION_SETS, cpu_instruction_set
from support.implementations import missing


@pytest.fixture(autouse=True)
def _ieee() -> Iterator[None]:
    """TF32 has a precision of its own, which the tests of CUDA devices ask for."""
    cudnn = torch.backends.cudnn
    before, cudnn.allow_tf32 = cudnn.allow_tf32, False
    yield
    cudnn.allow_tf32 = before


def _insist(name: ek.Backend) -> Iterator[ek.Backend]:
    if reason := missing(name):
        pytest.skip(f"{name} cannot run: {reason}")
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


@pytest.fixture(params=INSTRUCTION_SETS)
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    """Limits the C++ kernels to one instruction set during the test, and puts the widest back."""
    limit = torch.ops.ebgan_kernels.limit_cpu_instruction_set
    limit(INSTRUCTION_SETS.index(request.param))
    try:
        if cpu_instruction_set() != request.param:
            pytest.skip(f"this processor has no {request.param}")
        with ek.backend("cpu"):
            yield request.param
    finally:
        limit(len(INSTRUCTION_SETS) - 1)

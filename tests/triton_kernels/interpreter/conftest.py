"""Triton operators by themselves, below autograd: in the interpreter on CPU tensors, or compiled on a GPU.

The interpreter must be on before Triton is imported, and nothing can be compiled while it is: hence a run of
its own, ``TRITON_INTERPRET=1 pytest tests/triton_kernels/interpreter``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import ebgan_kernels  # noqa: F401, defines the operators
from support.implementations import device_of, missing

Operator = Callable[..., Any]


@pytest.fixture(autouse=True)
def _skipped_where_triton_cannot_run() -> None:
    if reason := missing("triton"):
        pytest.skip(f"triton cannot run: {reason}; run with TRITON_INTERPRET=1")


@pytest.fixture
def device() -> torch.device:
    return device_of("triton")


@pytest.fixture
def chunks_of_256(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cuts samples of more than 256 elements into chunks, and those of more than 512 into two larger ones."""
    from ebgan_kernels.triton import energy

    for name, value in {"WHOLE_SAMPLE_BYTES": 1024, "CHUNK_BLOCK": 256, "MOST_CHUNKS": 2}.items():
        monkeypatch.setattr(energy, name, value)


@pytest.fixture
def operator() -> Callable[[str], Operator]:
    """operator("energy_loss"): the Triton operator of that name."""
    return lambda name: getattr(torch.ops.ebgan_kernels, f"{name}_triton").default

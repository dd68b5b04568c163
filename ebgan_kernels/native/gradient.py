"""Schemas that all families share: scaling a stored gradient, and the CPU kernels' instruction set."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.native.library import define

# The first is what every processor of an architecture has.
INSTRUCTION_SETS = (
    "NEON" if platform.machine() in ("aarch64", "arm64") else "baseline",
    "AVX2",
    "AVX-512",
)

SCHEMAS = {
    # Multiplies dense memory of any layout by scale in place; where scale is 1 the gradient is neither read
    # nor written. Scale is 0-d, or (parts,) of any stride for as many equal parts of the memory, in order.
    "scale_gradient_": "(Tensor(a!) gradient, Tensor scale) -> ()",
    # These return positions in INSTRUCTION_SETS. The second, for tests and benchmarks, sets an upper limit.
    "cpu_instruction_set": "() -> int",
    "limit_cpu_instruction_set": "(int limit) -> int",
}


def _fake_scale(gradient: Tensor, scale: Tensor) -> None:
    """Writes in place."""


FAKES: dict[str, Callable[..., Any]] = {"scale_gradient_": _fake_scale}
define(SCHEMAS, FAKES)


def cpu_instruction_set() -> str:
    """The instruction set that the C++ kernels chose when they were loaded."""
    return INSTRUCTION_SETS[torch.ops.ebgan_kernels.cpu_instruction_set()]

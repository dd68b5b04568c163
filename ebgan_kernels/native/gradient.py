"""Schemas that all families share: scaling a stored gradient, and the CPU kernels' instruction set."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import torch

from ebgan_kernels.native.library import define, writes_in_place

# The first is what every processor of an architecture has.
INSTRUCTION_SETS = (
    "NEON" if platform.machine() in ("aarch64", "arm64") else "baseline",
    "AVX2",
    "AVX-512",
)

SCHEMAS = {
    # Multiplies dense memory of any layout by scale in place; where scale is 1 the gradients are neither read
    # nor written. Scale is 0-d, or (parts,) of any stride for as many equal parts of each memory, in order.
    "scale_gradients_": "(Tensor(a!)[] gradients, Tensor scale) -> ()",
    # These return positions in INSTRUCTION_SETS. The second, for tests and benchmarks, sets an upper limit.
    "cpu_instruction_set": "() -> int",
    "limit_cpu_instruction_set": "(int limit) -> int",
}


FAKES: dict[str, Callable[..., Any]] = {"scale_gradients_": writes_in_place}
define(SCHEMAS, FAKES)


def cpu_instruction_set() -> str:
    """The instruction set that the C++ kernels chose when they were loaded."""
    return INSTRUCTION_SETS[torch.ops.ebgan_kernels.cpu_instruction_set()]

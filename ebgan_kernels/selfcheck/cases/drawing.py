"""What the cases of all families share: dtypes, normal numbers, and words for shapes."""

from __future__ import annotations

import torch
from torch import Tensor

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
Dtypes = tuple[torch.dtype, ...]
Shape = tuple[int, ...]


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def active(activation: str) -> dict[str, object]:
    """The option where it is not the default, because a table need not name defaults."""
    return {} if activation == "none" else {"activation": activation}


def named(shape: Shape) -> str:
    return "x".join(map(str, shape))

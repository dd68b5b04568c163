"""The dtype of sums, and what autocast asks for in a form that every torch from 2.10 on can trace."""

from __future__ import annotations

import torch
from torch import Tensor


def _exists(device: str) -> bool:
    return torch.amp.is_autocast_available(device)


# Dynamo of torch 2.10 cannot trace what this calls; whether a kind of device has autocast never changes.
_exists._dynamo_marked_constant = True  # type: ignore[attr-defined]


def autocast_dtype(device: str) -> torch.dtype | None:
    """The dtype that autocast requires on a kind of device; None where it is off or there is none."""
    enabled = _exists(device) and torch.is_autocast_enabled(device)
    return torch.get_autocast_dtype(device) if enabled else None


def accumulation_dtype(tensor: Tensor) -> torch.dtype:
    """The dtype in which losses of ``tensor`` are summed and returned: float64 for float64, else float32."""
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def accumulation(tensor: Tensor) -> Tensor:
    """The tensor in the dtype in which it is summed."""
    return tensor.to(accumulation_dtype(tensor))

"""Autocast, as the operators ask for it: whether it is on for a tensor, and the dtype that it requires."""

from __future__ import annotations

import torch
from torch import Tensor


def is_on(tensor: Tensor) -> bool:
    """Whether autocast is on for the tensor's kind of device."""
    device = tensor.device.type
    return _exists(device) and torch.is_autocast_enabled(device)


def required_dtype(tensor: Tensor) -> torch.dtype | None:
    """The dtype that autocast requires; None where it is off, and for float64, which it leaves alone."""
    if tensor.dtype == torch.float64 or not is_on(tensor):
        return None
    return torch.get_autocast_dtype(tensor.device.type)


def _exists(device: str) -> bool:
    return torch.amp.is_autocast_available(device)


# Dynamo of torch 2.10 and 2.11 cannot trace the question, whose answer never changes.
_exists._dynamo_marked_constant = True  # type: ignore[attr-defined]

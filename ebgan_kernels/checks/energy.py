"""Checks of the energy family's arguments; ``ebgan_kernels.checks`` holds what all families share."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan_kernels.checks import FLOATING, check_floating, check_together
from ebgan_kernels.native.library import accumulation_dtype


def check_energies(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Checks that both are floating vectors of energies, one a sample, on one device; lengths may differ."""
    for name, energy in ((first_name, first), (second_name, second)):
        check_floating(name, energy)
        if energy.dim() != 1:
            raise ValueError(
                f"{name} has shape {tuple(energy.shape)}; it must be (N,), one energy a sample:"
                " a hinge of a batch mean is a different loss"
            )
    check_together(first_name, first, second_name, second)


def margin_tensor(margin: float | Tensor, beside: Tensor) -> Tensor:
    """The margin as a 0-d tensor on the device of ``beside``, without a host synchronisation."""
    if isinstance(margin, Tensor):
        if margin.dim() != 0 or margin.dtype not in FLOATING:
            raise ValueError(
                f"margin is a tensor of shape {tuple(margin.shape)} and {margin.dtype}; it must be a float"
                " or a 0-d floating tensor: use margin.float().reshape(())"
            )
        if margin.device != beside.device:
            raise ValueError(
                f"margin is on {margin.device} and the energies on {beside.device}; move it once, with"
                f" margin.to({str(beside.device)!r}): copying it at every call would wait for the device"
            )
        if margin.requires_grad:
            raise ValueError("margin requires a gradient, but none is computed for it; pass margin.detach()")
        return margin if margin.dtype in (torch.float32, torch.float64) else margin.float()
    if not isinstance(margin, (int, float)):
        raise TypeError(f"margin is {type(margin).__name__}; it must be a float or a 0-d tensor")
    if not margin >= 0:
        raise ValueError(f"margin is {margin}; it must be 0 or more")
    return torch.full((), margin, dtype=accumulation_dtype(beside), device=beside.device)


def same_layout(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the pair with dense samples of one layout, for operators that may read elements in any order.

    Contiguous, channels-last and batch-sliced pairs pass as they are. Otherwise the second tensor is copied
    into the layout of the first, or both are copied where the samples of the first have holes (a spatial
    slice).
    """
    if first.is_contiguous() and second.is_contiguous():
        return first, second
    if not _dense_inside(first):
        return first.contiguous(), second.contiguous()
    if _same_strides_inside(first, second):
        return first, second
    strides = (first[:1].numel(), *first.stride()[1:])
    copy = torch.empty_strided(second.shape, strides, dtype=second.dtype, device=second.device)
    return first, copy.copy_(second)


def _dense_inside(tensor: Tensor) -> bool:
    """Whether each sample fills one block of memory, whatever the order of its dimensions."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride()[1:], tensor.shape[1:], strict=True)):
        if size == 1:
            continue
        if stride != expected:
            return False
        expected *= size
    return True


def _same_strides_inside(first: Tensor, second: Tensor) -> bool:
    return all(
        size == 1 or a == b
        for size, a, b in zip(first.shape[1:], first.stride()[1:], second.stride()[1:], strict=True)
    )

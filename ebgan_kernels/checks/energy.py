"""Checks of the energy family's arguments; ``ebgan_kernels.checks`` holds what all families share."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan_kernels.checks import (
    FLOATING,
    check_floating,
    check_pair,
    check_together,
    checked_weight,
    is_dense,
)
from ebgan_kernels.reference.dtypes import accumulation_dtype

_NUMBERS = FLOATING | {torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64}


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


def check_images(
    real_reconstruction: Tensor, real: Tensor, fake_reconstruction: Tensor, fake: Tensor
) -> None:
    """Checks two pairs of batches, which may differ in N, but not in the size of an image."""
    check_pair("real_reconstruction", real_reconstruction, "real", real)
    check_pair("fake_reconstruction", fake_reconstruction, "fake", fake)
    if real.shape != fake.shape and real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            f"fake has shape {tuple(fake.shape)} and real {tuple(real.shape)}; all but the first size must be"
            " equal, because one discriminator reconstructs both: resize one of them"
        )
    check_together("real", real, "fake", fake)


def margin_tensor(margin: float | Tensor, beside: Tensor) -> Tensor:
    """The margin as a 0-d tensor on the device of ``beside``, without a host synchronisation."""
    if isinstance(margin, Tensor):
        if not is_dense(margin):
            check_floating("margin", margin)
        if margin.dim() != 0 or margin.dtype not in _NUMBERS:
            raise ValueError(
                f"margin is a tensor of shape {tuple(margin.shape)} and {margin.dtype}; it must be a float"
                " or a 0-d tensor of a number: use margin.float().reshape(())"
            )
        if margin.device != beside.device:
            raise ValueError(
                f"margin is on {margin.device} and the energies on {beside.device}; move it once, with"
                f" margin.to({str(beside.device)!r}): copying it at every call would wait for the device"
            )
        if margin.requires_grad:
            raise ValueError("margin requires a gradient, but none is computed for it; pass margin.detach()")
        return margin if margin.dtype in (torch.float32, torch.float64) else margin.float()
    margin = checked_weight("margin", margin, "a float or a 0-d tensor")
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

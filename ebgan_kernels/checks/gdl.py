"""Checks of the gradient-difference family's arguments; ``ebgan_kernels.checks`` holds what all share."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ebgan_kernels.checks import FLOATING, check_floating, check_pair, check_together, check_weight


def check_spatial_dims(spatial_dims: int) -> None:
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims is {spatial_dims!r}; it must be 2, for (H, W), or 3, for (D, H, W)")


def check_images(
    first_name: str,
    first: Tensor,
    second_name: str,
    second: Tensor,
    spatial_dims: int,
    reduction: str = "mean",
) -> None:
    """Checks that both are (..., H, W) or (..., D, H, W), (N, ..., H, W) at least for reduction "none"."""
    check_pair(first_name, first, second_name, second)
    shape, leading = first.shape, int(reduction == "none")
    axes = "(D, H, W)" if spatial_dims == 3 else "(H, W)"
    if len(shape) < leading + spatial_dims:
        needs = f"samples (N, ...) before {axes} for reduction 'none'" if leading else f"at least {axes}"
        raise ValueError(
            f"{first_name} has shape {tuple(shape)}; with spatial_dims={spatial_dims} it must have {needs}:"
            f" use {first_name}[None]"
        )
    if min(shape[-spatial_dims:]) < 2:
        raise ValueError(
            f"{first_name} has shape {tuple(shape)}; its last axes {axes} must be at least 2 long each"
            " (there is no pair of neighbours in fewer): use larger images, or another spatial_dims"
        )


def check_exponents(p: int, alpha: float) -> None:
    if p not in (1, 2):
        raise ValueError(f"p is {p!r}; it must be 1 or 2")
    if not isinstance(alpha, (int, float)):
        raise TypeError(f"alpha is {type(alpha).__name__}; it must be a float")
    if not 1 <= alpha < math.inf:
        raise ValueError(f"alpha is {alpha}; it must be 1 or more, and finite")


def check_loss_weights(lp_weight: float, gdl_weight: float) -> None:
    check_weight("lp_weight", lp_weight)
    check_weight("gdl_weight", gdl_weight)
    if lp_weight == 0 and gdl_weight == 0:
        raise ValueError("lp_weight and gdl_weight are both 0; at least one must be positive")


def check_levels(x: Tensor, levels: int) -> None:
    """Checks that x is (..., H, W) and that H and W can be halved levels - 1 times."""
    check_floating("x", x)
    if not isinstance(levels, int) or levels < 1:
        raise ValueError(f"levels is {levels!r}; it must be an integer of at least 1 (x itself is one level)")
    if x.dim() < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must have at least (H, W)")
    divisor = 2 ** (levels - 1)
    if any(size % divisor or size == 0 for size in x.shape[-2:]):
        raise ValueError(
            f"x has shape {tuple(x.shape)}; for {levels} levels height and width must be multiples of"
            f" {divisor}: crop or pad it, or take fewer levels"
        )


def check_scales(
    predictions: Sequence[Tensor], target: Tensor, scale_weights: Sequence[float] | None
) -> None:
    """Checks that predictions go coarse to fine, each half the next one's size, the last of the target's."""
    if isinstance(predictions, Tensor) or len(predictions) == 0:
        came = "a tensor" if isinstance(predictions, Tensor) else "empty"
        raise ValueError(f"predictions is {came}; it must be a list of one tensor a scale, coarsest first")
    if scale_weights is not None:
        if len(scale_weights) != len(predictions):
            raise ValueError(
                f"scale_weights has {len(scale_weights)} values and predictions {len(predictions)}; pass one"
                " weight a scale, coarsest first"
            )
        for k, weight in enumerate(scale_weights):
            check_weight(f"scale_weights[{k}]", weight)
    if _scales_fit(predictions, target):
        return
    finest = len(predictions) - 1
    check_images(f"predictions[{finest}]", predictions[finest], "target", target, 2)
    for k, prediction in enumerate(predictions[:-1]):
        name, factor = f"predictions[{k}]", 2 ** (finest - k)
        check_floating(name, prediction)
        *leading, height, width = prediction.shape if prediction.dim() > 1 else (0, 0)
        if (*leading, height * factor, width * factor) != target.shape or min(height, width) < 2:
            raise ValueError(
                f"{name} has shape {tuple(prediction.shape)} and target {tuple(target.shape)}; it must"
                f" have the target's shape with height and width divided by {factor}, each at least 2:"
                " resize it, or order predictions coarse to fine"
            )
        check_together("target", target, name, prediction)


def _scales_fit(predictions: Sequence[Tensor], target: Tensor) -> bool:
    """Whether the tensors are as :func:`check_scales` requires, without looking for what is wrong."""
    if not isinstance(target, Tensor):
        return False
    shape, device, precise, factor = target.shape, target.device, target.dtype == torch.float64, 1
    for prediction in reversed(predictions):
        if not isinstance(prediction, Tensor) or prediction.dim() < 2:
            return False
        *leading, height, width = prediction.shape
        dtype = prediction.dtype
        if (
            (*leading, height * factor, width * factor) != shape
            or min(height, width) < 2
            or dtype not in FLOATING
            or (dtype == torch.float64) != precise
            or prediction.device != device
        ):
            return False
        factor *= 2
    return target.dtype in FLOATING

"""Checks of the gradient-difference family's arguments; ``ebgan_kernels.checks`` holds what all share."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from ebgan_kernels.checks import (
    FLOATING,
    check_floating,
    check_pair,
    check_together,
    checked_number,
    checked_weight,
    is_dense,
)


def checked_spatial_dims(spatial_dims: int) -> int:
    if spatial_dims not in (2, 3):
        raise ValueError(f"spatial_dims is {spatial_dims!r}; it must be 2, for (H, W), or 3, for (D, H, W)")
    return int(spatial_dims)  # of NumPy's integers, which an operator does not take


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


def checked_exponents(p: int, alpha: float) -> tuple[int, float]:
    """Checks p and alpha, and returns them as numbers of Python."""
    if p not in (1, 2):
        raise ValueError(f"p is {p!r}; it must be 1 or 2")
    alpha = checked_number("alpha", alpha)
    if not 1 <= alpha < math.inf:
        raise ValueError(f"alpha is {alpha}; it must be 1 or more, and finite")
    return int(p), alpha


def checked_loss_weights(lp_weight: float, gdl_weight: float) -> tuple[float, float]:
    """Checks the weights of a prediction loss, and returns them as numbers of Python."""
    lp_weight = checked_weight("lp_weight", lp_weight)
    gdl_weight = checked_weight("gdl_weight", gdl_weight)
    if lp_weight == 0 and gdl_weight == 0:
        raise ValueError("lp_weight and gdl_weight are both 0; at least one must be positive")
    return lp_weight, gdl_weight


def checked_levels(x: Tensor, levels: int) -> int:
    """Checks that x is (..., H, W) and that H and W can be halved levels - 1 times; returns levels."""
    check_floating("x", x)
    if not isinstance(levels, numbers.Integral) or levels < 1:
        raise ValueError(f"levels is {levels!r}; it must be an integer of at least 1 (x itself is one level)")
    levels = int(levels)
    if x.dim() < 2:
        raise ValueError(f"x has shape {tuple(x.shape)}; it must have at least (H, W)")
    divisor = 2 ** (levels - 1)
    if any(size % divisor or size == 0 for size in x.shape[-2:]):
        raise ValueError(
            f"x has shape {tuple(x.shape)}; for {levels} levels height and width must be multiples of"
            f" {divisor}: crop or pad it, or take fewer levels"
        )
    return levels


def checked_scale_weights(scale_weights: Sequence[float] | None) -> list[float] | None:
    """The weights of the scales as numbers of Python, each 0 or more."""
    if scale_weights is None:
        return None
    if isinstance(scale_weights, Tensor):
        raise TypeError("scale_weights is a tensor; it must be a list of floats: pass scale_weights.tolist()")
    if isinstance(scale_weights, str) or not isinstance(scale_weights, Iterable):
        came = type(scale_weights).__name__
        raise TypeError(f"scale_weights is {came}; it must be a list of floats, one a scale, or None")
    return [checked_weight(f"scale_weights[{scale}]", each) for scale, each in enumerate(scale_weights)]


def check_scales(
    predictions: Sequence[Tensor], target: Tensor, scale_weights: Sequence[float] | None
) -> None:
    """Checks that predictions go coarse to fine, each half the next one's size, the last of the target's."""
    if isinstance(predictions, Tensor) or len(predictions) == 0:
        came = "a tensor" if isinstance(predictions, Tensor) else "empty"
        raise ValueError(f"predictions is {came}; it must be a list of one tensor a scale, coarsest first")
    if scale_weights is not None and len(scale_weights) != len(predictions):
        raise ValueError(
            f"scale_weights has {len(scale_weights)} values and predictions {len(predictions)}; pass one"
            " weight a scale, coarsest first"
        )
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
    if not isinstance(target, Tensor) or not is_dense(target):
        return False
    shape, device, precise, factor = target.shape, target.device, target.dtype == torch.float64, 1
    for prediction in reversed(predictions):
        if not isinstance(prediction, Tensor) or not is_dense(prediction) or prediction.dim() < 2:
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

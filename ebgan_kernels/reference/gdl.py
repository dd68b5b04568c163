"""The gradient-difference family in plain PyTorch: definition, fallback, test oracle and baseline.

Every function here is differentiable by autograd to any order. Everything runs in float32 (float64 for
float64 input), also under autocast. Arguments have passed ``ebgan_kernels.checks``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import Tensor

from ebgan_kernels.reference.dtypes import accumulation

Reduction = Literal["mean", "sum", "none"]


def _power(values: Tensor, exponent: float) -> Tensor:
    """|values|^exponent."""
    if exponent == 1:
        return values.abs()
    return values.square() if exponent == 2 else values.abs().pow(exponent)


def _reduced(terms: Tensor, reduction: Reduction) -> Tensor:
    if reduction == "none":
        return terms.flatten(1).mean(1)
    return terms.mean() if reduction == "mean" else terms.sum()


def _sum(terms: Iterable[Tensor]) -> Tensor:
    """Adds one term or more; the built-in sum would begin with the integer 0."""
    return functools.reduce(torch.add, terms)


def gradient_difference_loss(
    prediction: Tensor, target: Tensor, alpha: float, spatial_dims: int, reduction: Reduction
) -> Tensor:
    """||step in prediction| - |step in target||^alpha over the neighbours along each spatial axis."""
    prediction, target = accumulation(prediction), accumulation(target)
    return _sum(
        _reduced(_power(prediction.diff(dim=axis).abs() - target.diff(dim=axis).abs(), alpha), reduction)
        for axis in range(-spatial_dims, 0)
    )


def prediction_loss(
    prediction: Tensor,
    target: Tensor,
    spatial_dims: int,
    p: int,
    alpha: float,
    lp_weight: float,
    gdl_weight: float,
    reduction: Reduction,
) -> Tensor:
    """lp_weight * |prediction - target|^p + gdl_weight * gradient difference; without a term of weight 0."""
    # Both terms share one conversion, so that their gradients are added before they are rounded to a half
    # type.
    prediction, target = accumulation(prediction), accumulation(target)
    terms = []
    if lp_weight:
        terms.append(lp_weight * _reduced(_power(prediction - target, p), reduction))
    if gdl_weight:
        terms.append(
            gdl_weight * gradient_difference_loss(prediction, target, alpha, spatial_dims, reduction)
        )
    return _sum(terms)


def average_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """(..., H, W) -> [coarsest, ..., x]: 2 x 2 averages of the next finer level, rounded once."""
    pyramid, average = [x], accumulation(x)
    for _ in range(levels - 1):
        planes = average.reshape(x.shape[:-2].numel(), 1, *average.shape[-2:])
        average = torch.nn.functional.avg_pool2d(planes, 2)
        average = average.reshape(*x.shape[:-2], *average.shape[-2:])
        pyramid.insert(0, average.to(x.dtype))
    return pyramid


def average_pyramid_backward(gradients: Sequence[Tensor]) -> Tensor:
    """The operator of this name: the gradient of x from the gradients of its averages, coarsest first."""
    gradient = torch.zeros((), device=gradients[0].device)
    for coarse in gradients:
        quarter = (gradient + accumulation(coarse)) / 4
        gradient = quarter.repeat_interleave(2, dim=-2).repeat_interleave(2, dim=-1)
    return gradient.to(gradients[0].dtype)


def multiscale_prediction_loss(
    predictions: Sequence[Tensor],
    target: Tensor,
    p: int,
    alpha: float,
    lp_weight: float,
    gdl_weight: float,
    scale_weights: Sequence[float],
) -> Tensor:
    """Predictions coarse to fine against the target's averages: sum of scale weight * prediction_loss."""
    targets = average_pyramid(accumulation(target), len(predictions))
    losses = [
        prediction_loss(*pair, 2, p, alpha, lp_weight, gdl_weight, "mean")
        for pair in zip(predictions, targets, strict=True)
    ]
    return weighted_sum(scale_weights, losses)


def weighted_sum(weights: Sequence[float], losses: Sequence[Tensor]) -> Tensor:
    return _sum(weight * loss for weight, loss in zip(weights, losses, strict=True))

"""Gradient difference loss, the prediction loss with it at one scale and at several, and the average pyramid.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", arXiv:1511.05440: a
mean of squares blurs; comparing the steps between neighbours keeps edges sharp.

Gradients of a scalar loss are computed in its forward pass, in the same pass over the images (3 units of
memory traffic, where recomputing takes 5), and handed out by the first backward pass; a second one over a
retained graph computes them again. Double backward and ``torch.func`` transforms run the reference.
Programs of ``torch.export`` are forward only: they do not train.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from ebgan_kernels.backends import select
from ebgan_kernels.checks import (
    check_exponents,
    check_images,
    check_levels,
    check_loss_weights,
    check_option,
    check_scales,
    check_spatial_dims,
)
from ebgan_kernels.native.gdl import REDUCTIONS
from ebgan_kernels.ops.gdl_autograd import (
    AveragesFunction,
    MultiscaleOptions,
    MultiscalePredictionLossFunction,
    Options,
    PredictionLossFunction,
    Weights,
)
from ebgan_kernels.ops.gradients import needed_gradients
from ebgan_kernels.reference import gdl as reference
from ebgan_kernels.reference.gdl import Reduction

Power = Literal[1, 2]
SpatialDims = Literal[2, 3]


def gradient_difference_loss(
    prediction: Tensor,
    target: Tensor,
    *,
    alpha: float = 1.0,
    spatial_dims: SpatialDims = 2,
    reduction: Reduction = "mean",
) -> Tensor:
    """How far the steps between neighbours in the prediction are from those in the target.

    With d_a x = x[.., i + 1, ..] - x[.., i, ..] along axis a, over the pairs inside the image::

        sum over spatial axes a of   mean over pairs of  | |d_a prediction| - |d_a target| |^alpha

    0 for a prediction that equals the target up to a constant or a sign: it goes with an l_p term
    (:func:`prediction_loss`), not alone.

    Args:
        prediction: (..., H, W), or (..., D, H, W) with ``spatial_dims=3``; axes before those are free, as in
            (N, T, C, H, W). float16, bfloat16, float32 or float64.
        target: same shape and device; its dtype may differ, but float64 goes only with float64.
        alpha: any real number from 1 on; 1 and 2 have kernels of their own.
        spatial_dims: 2 or 3, how many of the last axes have neighbours, each of a size of at least 2.
        reduction: "mean" (each axis has its own number of pairs and its own mean; the axes are added), "sum"
            (the paper's), or "none": (N,), the mean form of each sample of the first axis. torch's losses
            have one value an element there.

    Returns:
        0-d, or (N,) for "none"; float32 (float64 for float64 input), in the images' units to the power alpha.

    Gradients: to prediction and to target, each in its own dtype; at ties sign(0) = 0, as in PyTorch.
    Errors: ValueError for shapes, devices and options, TypeError for dtypes.
    Memory: one buffer for each gradient asked for, from forward to backward ("none": in backward). Neighbours
    must be in order: a tensor that is not contiguous is copied.
    Source: arXiv:1511.05440, section 3.2.

    Example:
        >>> import torch, ebgan_kernels
        >>> edge = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
        >>> ebgan_kernels.gradient_difference_loss(torch.zeros(2, 3), edge).item()
        0.5
    """
    return _loss(prediction, target, Weights(1, alpha, 0.0, 1.0), spatial_dims, reduction)


def prediction_loss(
    prediction: Tensor,
    target: Tensor,
    *,
    p: Power = 1,
    alpha: float = 1.0,
    lp_weight: float = 1.0,
    gdl_weight: float = 1.0,
    spatial_dims: SpatialDims = 2,
    reduction: Reduction = "mean",
) -> Tensor:
    """The loss of a predicted image: an l_p term and the gradient difference, from one pass over both images.

    ::

        lp_weight * mean |prediction - target|^p  +  gdl_weight * gradient_difference_loss(prediction, target)

    Args:
        prediction, target, alpha, spatial_dims, reduction: as in :func:`gradient_difference_loss`; "sum" and
            "none" hold for both terms.
        p: 1 or 2; the norm's p-th power, without a root. The paper's pairs: p = alpha = 1, and p = alpha = 2.
        lp_weight, gdl_weight: 0 or more, not both 0. 0 leaves the term out.

    Returns:
        0-d, or (N,) for "none"; float32 (float64 for float64 input).

    Gradients: to prediction and to target, each in its own dtype.
    Errors: as in :func:`gradient_difference_loss`; ValueError for weights.
    Memory: as in :func:`gradient_difference_loss`.
    Source: arXiv:1511.05440, section 3.

    Example:
        >>> import torch, ebgan_kernels
        >>> edge = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
        >>> round(ebgan_kernels.prediction_loss(torch.zeros(2, 3), edge).item(), 4)
        0.8333
    """
    return _loss(prediction, target, Weights(p, alpha, lp_weight, gdl_weight), spatial_dims, reduction)


def _loss(
    prediction: Tensor, target: Tensor, weights: Weights, spatial_dims: SpatialDims, reduction: Reduction
) -> Tensor:
    _check_options(weights, spatial_dims, reduction)
    check_images("prediction", prediction, "target", target, spatial_dims, reduction)
    backend = select(prediction)
    if backend == "reference":
        return reference.prediction_loss(prediction, target, spatial_dims, *weights, reduction)
    needed = needed_gradients(prediction, target)
    return PredictionLossFunction.apply(
        prediction, target, Options(spatial_dims, weights, reduction, backend, needed)
    )


def average_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """Ever smaller averages of an image, from one read of it.

    Each level is the 2 x 2 average pooling of the next finer one. Averages are taken in float32 (float64) and
    rounded once: a level in half precision is the average of x, not of rounded averages.

    Args:
        x: (..., H, W), H and W multiples of 2^(levels - 1), any floating dtype.
        levels: how many, x included; at least 1.

    Returns:
        [coarsest, ..., x], in x's dtype; the last is x itself, not a copy.

    Gradients: to x, of every order.
    Errors: ValueError for a size that cannot be halved so often, TypeError for dtypes.
    Memory: the coarse levels, together less than a third of x; backward one buffer of the size of x. An x
    that is not contiguous is copied.
    Source: arXiv:1511.05440, section 2: the four scales of the video networks.

    Example:
        >>> import torch, ebgan_kernels
        >>> x = torch.arange(16.0).reshape(4, 4)
        >>> [level.tolist() for level in ebgan_kernels.average_pyramid(x, 3)[:2]]
        [[[7.5]], [[2.5, 4.5], [10.5, 12.5]]]
    """
    check_levels(x, levels)
    backend = select(x)
    if backend == "reference":
        return reference.average_pyramid(x, levels)
    if levels == 1:
        return [x]
    return [*AveragesFunction.apply(x, levels, backend), x]


def multiscale_prediction_loss(
    predictions: Sequence[Tensor],
    target: Tensor,
    *,
    p: Power = 1,
    alpha: float = 1.0,
    lp_weight: float = 1.0,
    gdl_weight: float = 1.0,
    scale_weights: Sequence[float] | None = None,
) -> Tensor:
    """The loss of a multi-scale network's predictions: each scale against the target's average of its size.

    ::

        sum over scales k of   scale_weights[k] * prediction_loss(predictions[k], target averaged to its size)

    The averages are those of :func:`average_pyramid`, made where they are used and never stored as tensors.

    Args:
        predictions: coarse to fine, (..., H / 2^k, W / 2^k), the last of the target's shape; dtypes may
            differ.
        target: (..., H, W), on the same device.
        p, alpha, lp_weight, gdl_weight: as in :func:`prediction_loss`, for every scale; 2-D, "mean".
        scale_weights: one for each scale, coarse to fine, 0 or more; None for 1 each.

    Returns:
        0-d, float32 (float64 for float64 input).

    Gradients: to every prediction, in its own dtype. A target that requires a gradient gets one too; that
    takes a pass for each scale.
    Errors: ValueError for a number or sizes of scales that do not fit, the rest as in :func:`prediction_loss`.
    Memory: the gradients of all predictions, from forward to backward. What is not contiguous is copied.
    Source: arXiv:1511.05440, section 2; sum over scales as in the authors' code.

    Example:
        >>> import torch, ebgan_kernels
        >>> target = torch.ones(8, 3, 32, 32)
        >>> predictions = [torch.zeros(8, 3, size, size) for size in (4, 8, 16, 32)]
        >>> ebgan_kernels.multiscale_prediction_loss(predictions, target).item()
        4.0
    """
    weights = Weights(p, alpha, lp_weight, gdl_weight)
    _check_options(weights)
    check_scales(predictions, target, scale_weights)
    by_scale = (1.0,) * len(predictions) if scale_weights is None else tuple(scale_weights)
    backend = select(target)
    if backend == "reference":
        return reference.multiscale_prediction_loss(predictions, target, *weights, by_scale)
    if needed_gradients(target)[0]:
        return _differentiable_target(predictions, target, weights, by_scale)
    options = MultiscaleOptions(weights, by_scale, backend, needed_gradients(*predictions))
    return MultiscalePredictionLossFunction.apply(target, options, *predictions)


def _differentiable_target(
    predictions: Sequence[Tensor], target: Tensor, weights: Weights, scale_weights: Sequence[float]
) -> Tensor:
    """The definition, from the operators of one scale: the rare case does not need a kernel of its own."""
    pyramid = average_pyramid(reference.accumulation(target), len(predictions))
    losses = [_loss(*pair, weights, 2, "mean") for pair in zip(predictions, pyramid, strict=True)]
    return reference.weighted_sum(scale_weights, losses)


def _check_options(weights: Weights, spatial_dims: int = 2, reduction: str = "mean") -> None:
    check_option("reduction", reduction, REDUCTIONS)
    check_spatial_dims(spatial_dims)
    check_exponents(weights.p, weights.alpha)
    check_loss_weights(weights.lp_weight, weights.gdl_weight)


class GradientDifferenceLoss(nn.Module):
    """:func:`gradient_difference_loss` as a module."""

    def __init__(
        self, alpha: float = 1.0, spatial_dims: SpatialDims = 2, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        _check_options(Weights(1, alpha, 0.0, 1.0), spatial_dims, reduction)
        self.alpha = alpha
        self.spatial_dims: SpatialDims = spatial_dims
        self.reduction: Reduction = reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return gradient_difference_loss(
            prediction, target, alpha=self.alpha, spatial_dims=self.spatial_dims, reduction=self.reduction
        )

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}, spatial_dims={self.spatial_dims}, reduction={self.reduction!r}"


class PredictionLoss(nn.Module):
    """:func:`prediction_loss` as a module."""

    def __init__(
        self,
        p: Power = 1,
        alpha: float = 1.0,
        lp_weight: float = 1.0,
        gdl_weight: float = 1.0,
        spatial_dims: SpatialDims = 2,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__()
        self.weights = Weights(p, alpha, lp_weight, gdl_weight)
        _check_options(self.weights, spatial_dims, reduction)
        self.spatial_dims: SpatialDims = spatial_dims
        self.reduction: Reduction = reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        return _loss(prediction, target, self.weights, self.spatial_dims, self.reduction)

    def extra_repr(self) -> str:
        return f"{_described(self.weights)}, spatial_dims={self.spatial_dims}, reduction={self.reduction!r}"


class MultiscalePredictionLoss(nn.Module):
    """:func:`multiscale_prediction_loss` as a module."""

    def __init__(
        self,
        p: Power = 1,
        alpha: float = 1.0,
        lp_weight: float = 1.0,
        gdl_weight: float = 1.0,
        scale_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.weights = Weights(p, alpha, lp_weight, gdl_weight)
        _check_options(self.weights)
        self.scale_weights = scale_weights

    def forward(self, predictions: Sequence[Tensor], target: Tensor) -> Tensor:
        return multiscale_prediction_loss(
            predictions, target, **self.weights._asdict(), scale_weights=self.scale_weights
        )

    def extra_repr(self) -> str:
        return f"{_described(self.weights)}, scale_weights={self.scale_weights}"


def _described(weights: Weights) -> str:
    return ", ".join(f"{name}={value:g}" for name, value in weights._asdict().items())

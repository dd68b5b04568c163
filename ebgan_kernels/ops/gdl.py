"""The gradient difference loss and the prediction loss of one scale; ``gdl_scales`` has that of several.

Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error", arXiv:1511.05440: a
loss of mean squares blurs predictions; comparing the steps between neighbours keeps edges sharp.

Gradients of a scalar loss are computed in its forward pass, in the same pass over the images (3 units of
memory traffic, where recomputing takes 5), and handed out by the first backward pass; a second one over a
retained graph computes them again. Double backward and ``torch.func`` transforms run the reference.
Programs of ``torch.export`` are forward only: they do not train.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from ebgan_kernels.backends import select
from ebgan_kernels.checks import check_option
from ebgan_kernels.checks.gdl import (
    check_images,
    checked_exponents,
    checked_loss_weights,
    checked_spatial_dims,
)
from ebgan_kernels.native.gdl import REDUCTIONS
from ebgan_kernels.ops.gdl_autograd import PredictionLossFunction, Weights
from ebgan_kernels.ops.gradients import Call, needed_gradients
from ebgan_kernels.ops.module import Module
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
    """The gradient difference loss: how far steps between neighbours of the prediction are from the target's.

    With d_a x = x[.., i + 1, ..] - x[.., i, ..] along axis a, over the pairs inside the image::

        sum over spatial axes a of   mean over pairs of  | |d_a prediction| - |d_a target| |^alpha

    The loss is 0 for a prediction that equals the target up to a constant or a sign, so it is used together
    with an l_p term (:func:`prediction_loss`).

    Args:
        prediction: (..., H, W), or (..., D, H, W) with ``spatial_dims=3``; axes before those are free, as in
            (N, T, C, H, W). float16, bfloat16, float32 or float64.
        target: same shape and device; its dtype may differ, but float64 goes only with float64.
        alpha: any real number from 1 on; 1 and 2 have kernels of their own.
        spatial_dims: 2 or 3, how many of the last axes have neighbours, each of a size of at least 2.
        reduction: "mean" (each axis has its own number of pairs and its own mean; the axes are added), "sum"
            (the paper's), or "none", which gives (N,), the "mean" of each sample of the first axis. torch's
            losses give one value an element for "none".

    Returns:
        0-d, or (N,) for "none"; float32 (float64 for float64 input), in the images' units to the power alpha.

    Gradients: to prediction and to target, each in its own dtype; at ties sign(0) = 0, as in PyTorch.
    Errors: ValueError for shapes, devices and options, TypeError for dtypes.
    Memory: one buffer for each gradient asked for, from forward to backward (for "none" in backward only).
    Neighbours must be in order, so a tensor that is not contiguous is copied.
    Source: arXiv:1511.05440, section 3.2.

    Example:
        >>> import torch, ebgan_kernels
        >>> edge = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
        >>> ebgan_kernels.gradient_difference_loss(torch.zeros(2, 3), edge).item()
        0.5
    """
    return weighted_loss(prediction, target, (1, alpha, 0.0, 1.0), spatial_dims, reduction)


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
        p: 1 or 2; the norm's p-th power, without a root. The paper uses p = alpha = 1 and p = alpha = 2.
        lp_weight, gdl_weight: 0 or more, not both 0. A weight of 0 leaves its term out.

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
    return weighted_loss(prediction, target, (p, alpha, lp_weight, gdl_weight), spatial_dims, reduction)


def weighted_loss(
    prediction: Tensor,
    target: Tensor,
    options: tuple[int, float, float, float],
    spatial_dims: int,
    reduction: Reduction,
) -> Tensor:
    """The prediction loss with the ``options`` p, alpha, lp_weight and gdl_weight, which it checks."""
    check_option("reduction", reduction, REDUCTIONS)
    weights, spatial_dims = checked_weights(*options), checked_spatial_dims(spatial_dims)
    check_images("prediction", prediction, "target", target, spatial_dims, reduction)
    backend = select(prediction)
    if backend == "reference":
        return reference.prediction_loss(prediction, target, spatial_dims, *weights, reduction)
    given = (spatial_dims, *weights, REDUCTIONS[reduction])
    call = Call(backend, needed_gradients(prediction, target), given)
    return PredictionLossFunction.apply(call, prediction, target)


def checked_weights(p: int, alpha: float, lp_weight: float, gdl_weight: float) -> Weights:
    return Weights(*checked_exponents(p, alpha), *checked_loss_weights(lp_weight, gdl_weight))


class GradientDifferenceLoss(Module):
    """:func:`gradient_difference_loss` as a module.

    Args:
        alpha: the exponent, from 1 on.
        spatial_dims: 2 or 3, how many of the last axes have neighbours.
        reduction: "mean", "sum" or "none".

    Example:
        >>> import torch, ebgan_kernels
        >>> edge = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
        >>> ebgan_kernels.GradientDifferenceLoss(alpha=2.0)(torch.zeros(2, 3), edge).item()
        0.5
    """

    def __init__(
        self, alpha: float = 1.0, spatial_dims: SpatialDims = 2, reduction: Reduction = "mean"
    ) -> None:
        super().__init__()
        check_option("reduction", reduction, REDUCTIONS)
        self.alpha = checked_exponents(1, alpha)[1]
        self.spatial_dims = checked_spatial_dims(spatial_dims)
        self.reduction: Reduction = reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss, 0-d, or (N,) for reduction "none".

        Args:
            prediction: (..., H, W), or (..., D, H, W) with ``spatial_dims=3``.
            target: of the same shape.
        """
        options = (1, self.alpha, 0.0, 1.0)
        return weighted_loss(prediction, target, options, self.spatial_dims, self.reduction)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha:g}, spatial_dims={self.spatial_dims}, reduction={self.reduction!r}"


class PredictionModule(Module):
    """The options of a prediction loss, which its modules share; each may be set later, as ``loss.p = 2``.

    Args:
        p: 1 or 2, the power of the l_p term.
        alpha: the exponent of the gradient difference, from 1 on.
        lp_weight: the weight of the l_p term, 0 or more.
        gdl_weight: the weight of the gradient difference, 0 or more.
    """

    def __init__(self, p: int, alpha: float, lp_weight: float, gdl_weight: float) -> None:
        super().__init__()
        self.p, self.alpha, self.lp_weight, self.gdl_weight = checked_weights(p, alpha, lp_weight, gdl_weight)

    @property
    def options(self) -> Weights:
        return Weights(self.p, self.alpha, self.lp_weight, self.gdl_weight)

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={value:g}" for name, value in self.options._asdict().items())


class PredictionLoss(PredictionModule):
    """:func:`prediction_loss` as a module.

    Args:
        p: 1 or 2, the power of the l_p term.
        alpha: the exponent of the gradient difference, from 1 on.
        lp_weight: the weight of the l_p term, 0 or more.
        gdl_weight: the weight of the gradient difference, 0 or more; not both weights are 0.
        spatial_dims: 2 or 3, how many of the last axes have neighbours.
        reduction: "mean", "sum" or "none".

    Example:
        >>> import torch, ebgan_kernels
        >>> loss = ebgan_kernels.PredictionLoss(p=2, gdl_weight=0.5)
        >>> loss(torch.zeros(8, 3, 32, 32), torch.ones(8, 3, 32, 32)).item()
        1.0
    """

    def __init__(
        self,
        p: Power = 1,
        alpha: float = 1.0,
        lp_weight: float = 1.0,
        gdl_weight: float = 1.0,
        spatial_dims: SpatialDims = 2,
        reduction: Reduction = "mean",
    ) -> None:
        super().__init__(p, alpha, lp_weight, gdl_weight)
        check_option("reduction", reduction, REDUCTIONS)
        self.spatial_dims = checked_spatial_dims(spatial_dims)
        self.reduction: Reduction = reduction

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss, 0-d, or (N,) for reduction "none".

        Args:
            prediction: (..., H, W), or (..., D, H, W) with ``spatial_dims=3``.
            target: of the same shape.
        """
        return weighted_loss(prediction, target, self.options, self.spatial_dims, self.reduction)

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, spatial_dims={self.spatial_dims}, reduction={self.reduction!r}"

"""The average pyramid, and the prediction loss at several scales.

Mathieu, Couprie, LeCun, arXiv:1511.05440: the video networks predict coarse to fine, and each scale has its
own loss. As in ``ebgan_kernels.ops.gdl``, gradients are computed in the forward pass and handed out once.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ebgan_kernels.backends import select
from ebgan_kernels.checks.gdl import check_scales, checked_levels, checked_scale_weights
from ebgan_kernels.ops.gdl import Power, PredictionModule, checked_weights, weighted_loss
from ebgan_kernels.ops.gdl_autograd import (
    AveragesFunction,
    MultiscalePredictionLossFunction,
    Weights,
)
from ebgan_kernels.ops.gradients import Call, needed_gradients
from ebgan_kernels.reference import gdl as reference
from ebgan_kernels.reference.dtypes import accumulation


def average_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    """Successively halved averages of an image, from one read of it.

    Each level is the 2 x 2 average pooling of the next finer one. Averages are taken in float32 (float64 for
    float64) and rounded once: a level in half precision is the average of x, not of rounded averages.

    Args:
        x: (..., H, W), H and W multiples of 2^(levels - 1), any floating dtype.
        levels: the number of levels, x included; at least 1.

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
    levels = checked_levels(x, levels)
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
    """The loss of a multi-scale network: each scale's prediction against the target averaged to its size.

    ::

        sum over scales k of   scale_weights[k] * prediction_loss(predictions[k], target averaged to its size)

    The averages are those of :func:`average_pyramid`, made where they are used and never stored as tensors.

    Args:
        predictions: coarse to fine, (..., H / 2^k, W / 2^k), the last of the target's shape; dtypes may
            differ.
        target: (..., H, W), on the same device.
        p, alpha, lp_weight, gdl_weight: as in :func:`prediction_loss` with ``spatial_dims=2`` and reduction
            "mean", for every scale.
        scale_weights: one for each scale, coarse to fine, 0 or more; None for 1 each.

    Returns:
        0-d, float32 (float64 for float64 input).

    Gradients: to every prediction, in its own dtype. A target that requires a gradient gets one too; that
    takes a pass for each scale.
    Errors: ValueError for a number or sizes of scales that do not fit; else as in :func:`prediction_loss`.
    Memory: the gradients of all predictions, from forward to backward. A tensor that is not contiguous is
    copied.
    Source: arXiv:1511.05440, section 2; sum over scales as in the authors' code.

    Example:
        >>> import torch, ebgan_kernels
        >>> target = torch.ones(8, 3, 32, 32)
        >>> predictions = [torch.zeros(8, 3, size, size) for size in (4, 8, 16, 32)]
        >>> ebgan_kernels.multiscale_prediction_loss(predictions, target).item()
        4.0
    """
    weights = checked_weights(p, alpha, lp_weight, gdl_weight)
    scale_weights = checked_scale_weights(scale_weights)
    check_scales(predictions, target, scale_weights)
    by_scale = (1.0,) * len(predictions) if scale_weights is None else tuple(scale_weights)
    backend = select(target)
    if backend == "reference":
        return reference.multiscale_prediction_loss(predictions, target, *weights, by_scale)
    if needed_gradients(target):
        return _differentiable_target(predictions, target, weights, by_scale)
    call = Call(backend, needed_gradients(*predictions), (*weights, by_scale))
    return MultiscalePredictionLossFunction.apply(call, *predictions, target)


def _differentiable_target(
    predictions: Sequence[Tensor], target: Tensor, weights: Weights, scale_weights: Sequence[float]
) -> Tensor:
    """The loss from the operators of one scale; the case is too rare for a kernel of its own."""
    pyramid = average_pyramid(accumulation(target), len(predictions))
    losses = [weighted_loss(*pair, weights, 2, "mean") for pair in zip(predictions, pyramid, strict=True)]
    return reference.weighted_sum(scale_weights, losses)


class MultiscalePredictionLoss(PredictionModule):
    """:func:`multiscale_prediction_loss` as a module.

    Args:
        p: 1 or 2, the power of the l_p term.
        alpha: the exponent of the gradient difference, from 1 on.
        lp_weight: the weight of the l_p term, 0 or more.
        gdl_weight: the weight of the gradient difference, 0 or more; not both weights are 0.
        scale_weights: one for each scale, coarse to fine, 0 or more; None for 1 each.

    Example:
        >>> import torch, ebgan_kernels
        >>> loss = ebgan_kernels.MultiscalePredictionLoss(scale_weights=[0.5, 1.0])
        >>> loss([torch.zeros(8, 3, 16, 16), torch.zeros(8, 3, 32, 32)], torch.ones(8, 3, 32, 32)).item()
        1.5
    """

    def __init__(
        self,
        p: Power = 1,
        alpha: float = 1.0,
        lp_weight: float = 1.0,
        gdl_weight: float = 1.0,
        scale_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__(p, alpha, lp_weight, gdl_weight)
        self.scale_weights: Sequence[float] | None = checked_scale_weights(scale_weights)

    def forward(self, predictions: Sequence[Tensor], target: Tensor) -> Tensor:
        """The loss, 0-d.

        Args:
            predictions: (..., H / 2^k, W / 2^k), coarse to fine, the last of the target's shape.
            target: (..., H, W).
        """
        return multiscale_prediction_loss(
            predictions,
            target,
            p=self.p,  # type: ignore[arg-type]  # 1 or 2
            alpha=self.alpha,
            lp_weight=self.lp_weight,
            gdl_weight=self.gdl_weight,
            scale_weights=self.scale_weights,
        )

    def extra_repr(self) -> str:
        return f"{super().extra_repr()}, scale_weights={self.scale_weights}"

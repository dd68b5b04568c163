"""Schemas and fake kernels of the gradient-difference family: see ``ebgan_kernels.native.library``.

Layout, for every implementation: all tensors are contiguous, since neighbours matter here. The spatial axes
are the last ``spatial_dims`` (2 or 3), each of size at least 2; the axes before them are free. A weight of 0
leaves its term out; not both are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ebgan_kernels.native.library import accumulation_dtype, define, empty_gradient

REDUCTIONS = {"mean": 0, "sum": 1, "none": 2}

SCHEMAS = {
    # loss 0-d in the accumulation dtype, and the gradients at an incoming gradient of 1; with reduction
    # "none" losses (N,) and no gradients, whatever is needed
    "prediction_loss": (
        "(Tensor prediction, Tensor target, int spatial_dims, int p, float alpha, float lp_weight,"
        " float gdl_weight, int reduction, bool need_prediction, bool need_target)"
        " -> (Tensor, Tensor, Tensor)"
    ),
    # Gradients of grad_loss * loss into the buffers, those of 0 elements left out. grad_loss in the
    # accumulation dtype: 0-d, (N,) of any stride for "none". `filled`: the buffers hold the gradients for
    # grad_loss = 1 already, and nothing is done where a 0-d grad_loss is 1.
    "prediction_loss_backward_": (
        "(Tensor(a!) grad_prediction, Tensor(b!) grad_target, Tensor grad_loss, Tensor prediction,"
        " Tensor target, int spatial_dims, int p, float alpha, float lp_weight, float gdl_weight,"
        " int reduction, bool filled) -> ()"
    ),
    # predictions coarse to fine, each half the next one's height and width; the target belongs to the finest,
    # and its averages stay in the accumulation dtype. Loss 0-d, and without need_predictions no gradients
    "multiscale_prediction_loss": (
        "(Tensor[] predictions, Tensor target, int p, float alpha, float lp_weight, float gdl_weight,"
        " float[] scale_weights, bool need_predictions) -> (Tensor, Tensor[])"
    ),
    "multiscale_prediction_loss_backward_": (
        "(Tensor(a!)[] gradients, Tensor grad_loss, Tensor[] predictions, Tensor target, int p, float alpha,"
        " float lp_weight, float gdl_weight, float[] scale_weights, bool filled) -> ()"
    ),
    # the levels - 1 averages, coarsest first, in x's dtype, each rounded once from the accumulation dtype
    "average_pyramid": "(Tensor x, int levels) -> Tensor[]",
    # from the gradients of those averages, coarsest first, the gradient of x
    "average_pyramid_backward": "(Tensor[] gradients) -> Tensor",
}


def _fake_loss(
    prediction: Tensor,
    target: Tensor,
    spatial_dims: int,
    p: int,
    alpha: float,
    lp_weight: float,
    gdl_weight: float,
    reduction: int,
    need_prediction: bool,
    need_target: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    scalar = reduction != REDUCTIONS["none"]
    shape = () if scalar else prediction.shape[:1]
    return (
        prediction.new_empty(shape, dtype=accumulation_dtype(prediction)),
        empty_gradient(prediction, scalar and need_prediction),
        empty_gradient(target, scalar and need_target),
    )


def _fake_multiscale(
    predictions: Sequence[Tensor],
    target: Tensor,
    p: int,
    alpha: float,
    lp_weight: float,
    gdl_weight: float,
    scale_weights: Sequence[float],
    need_predictions: bool,
) -> tuple[Tensor, list[Tensor]]:
    gradients = [prediction.new_empty(prediction.shape) for prediction in predictions]
    return target.new_empty((), dtype=accumulation_dtype(target)), gradients if need_predictions else []


def _fake_backward(*_: Any) -> None:
    """Writes in place."""


def _fake_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    *leading, height, width = x.shape
    return [x.new_empty((*leading, height >> k, width >> k)) for k in range(levels - 1, 0, -1)]


def _fake_pyramid_backward(gradients: Sequence[Tensor]) -> Tensor:
    *leading, height, width = gradients[-1].shape
    return gradients[-1].new_empty((*leading, 2 * height, 2 * width))


FAKES: dict[str, Callable[..., Any]] = {
    "prediction_loss": _fake_loss,
    "prediction_loss_backward_": _fake_backward,
    "multiscale_prediction_loss": _fake_multiscale,
    "multiscale_prediction_loss_backward_": _fake_backward,
    "average_pyramid": _fake_pyramid,
    "average_pyramid_backward": _fake_pyramid_backward,
}
define(SCHEMAS, FAKES)

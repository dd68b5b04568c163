"""Schemas and fake kernels of the gradient-difference family: see ``ebgan_kernels.native.library``.

Every implementation takes contiguous tensors, since neighbours matter here. The spatial axes are the last
``spatial_dims`` (2 or 3), each of size at least 2; the axes before them are free. A weight of 0 leaves its
term out, and the two weights are not both 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from ebgan_kernels.native.library import define, empty_gradients, empty_samples, writes_in_place
from ebgan_kernels.reference.dtypes import accumulation_dtype

REDUCTIONS = {"mean": 0, "sum": 1, "none": 2}

SCHEMAS = {
    # Returns the 0-d loss in the accumulation dtype, and the needed ones
    # of the images' gradients for an incoming gradient of 1. Reduction "none" returns losses (N,) and no
    # gradients, even where they are needed.
    "prediction_loss": (
        "(Tensor prediction, Tensor target, int spatial_dims, int p, float alpha, float lp_weight,"
        " float gdl_weight, int reduction, int needed) -> (Tensor, Tensor[])"
    ),
    # Writes the gradients of grad_loss * loss. grad_loss is in the accumulation dtype, 0-d or, for "none",
    # (N,) of any stride. `filled` says that they already hold those for grad_loss = 1, so that nothing is
    # done where a 0-d grad_loss is 1.
    "prediction_loss_backward_": (
        "(Tensor(a!)[] gradients, Tensor grad_loss, Tensor prediction, Tensor target, int spatial_dims,"
        " int p, float alpha, float lp_weight, float gdl_weight, int reduction, int needed, bool filled)"
        " -> ()"
    ),
    # The predictions go coarse to fine, each of half the next one's height and width; the target has the
    # shape of the last, and its averages stay in the accumulation dtype. Returns the 0-d loss and the needed
    # ones of the predictions' gradients.
    "multiscale_prediction_loss": (
        "(Tensor[] predictions, Tensor target, int p, float alpha, float lp_weight, float gdl_weight,"
        " float[] scale_weights, int needed) -> (Tensor, Tensor[])"
    ),
    "multiscale_prediction_loss_backward_": (
        "(Tensor(a!)[] gradients, Tensor grad_loss, Tensor[] predictions, Tensor target, int p, float alpha,"
        " float lp_weight, float gdl_weight, float[] scale_weights, int needed, bool filled) -> ()"
    ),
    # Returns the levels - 1 averages, coarsest first, in x's dtype, each rounded once from the accumulation
    # dtype.
    "average_pyramid": "(Tensor x, int levels) -> Tensor[]",
    # Returns the gradient of x from the gradients of its averages, coarsest first.
    "average_pyramid_backward": "(Tensor[] gradients) -> Tensor",
}


def _fake_loss(prediction: Tensor, target: Tensor, *options: Any) -> tuple[Tensor, list[Tensor]]:
    *_, reduction, needed = options
    each = reduction == REDUCTIONS["none"]
    loss = target.new_empty(target.shape[:1] if each else (), dtype=accumulation_dtype(target))
    return loss, [] if each else empty_gradients((prediction, target), needed, empty_samples)


def _fake_multiscale(
    predictions: Sequence[Tensor], target: Tensor, *options: Any
) -> tuple[Tensor, list[Tensor]]:
    loss = target.new_empty((), dtype=accumulation_dtype(target))
    return loss, empty_gradients(predictions, options[-1], empty_samples)


def _fake_pyramid(x: Tensor, levels: int) -> list[Tensor]:
    *leading, height, width = x.shape
    return [x.new_empty((*leading, height >> k, width >> k)) for k in range(levels - 1, 0, -1)]


def _fake_pyramid_backward(gradients: Sequence[Tensor]) -> Tensor:
    *leading, height, width = gradients[-1].shape
    return gradients[-1].new_empty((*leading, 2 * height, 2 * width))


FAKES: dict[str, Callable[..., Any]] = {
    "prediction_loss": _fake_loss,
    "prediction_loss_backward_": writes_in_place,
    "multiscale_prediction_loss": _fake_multiscale,
    "multiscale_prediction_loss_backward_": writes_in_place,
    "average_pyramid": _fake_pyramid,
    "average_pyramid_backward": _fake_pyramid_backward,
}
define(SCHEMAS, FAKES)

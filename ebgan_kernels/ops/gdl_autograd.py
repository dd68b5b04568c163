"""Autograd of the gradient-difference family; the public functions are in ``gdl`` and ``gdl_scales``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.native.gdl import REDUCTIONS
from ebgan_kernels.ops.gradients import differentiated_again, fused_loss, operator
from ebgan_kernels.reference import gdl as reference
from ebgan_kernels.reference.gdl import Reduction

_REDUCTIONS: tuple[Reduction, ...] = tuple(REDUCTIONS)  # type: ignore[arg-type]


class Weights(NamedTuple):
    """The exponents and weights of a prediction loss, in the order of the operators' schemas."""

    p: int
    alpha: float
    lp_weight: float
    gdl_weight: float


def _pair(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tensors[0].contiguous(), tensors[1].contiguous()


def _scales(tensors: Sequence[Tensor]) -> tuple[list[Tensor], Tensor]:
    *predictions, target = [tensor.contiguous() for tensor in tensors]
    return predictions, target


def _prediction_reference(*arguments: Any) -> Tensor:
    prediction, target, spatial_dims, p, alpha, lp_weight, gdl_weight, reduction = arguments
    weights = p, alpha, lp_weight, gdl_weight
    return reference.prediction_loss(prediction, target, spatial_dims, *weights, _REDUCTIONS[reduction])


def _multiscale_reference(*arguments: Any) -> Tensor:
    *predictions, target, p, alpha, lp_weight, gdl_weight, scale_weights = arguments
    return reference.multiscale_prediction_loss(
        predictions, target, p, alpha, lp_weight, gdl_weight, scale_weights
    )


# Takes (prediction, target), and the options (spatial_dims, *weights, reduction) as in the schema.
PredictionLossFunction = fused_loss("prediction_loss", layout=_pair, reference=_prediction_reference)
# Takes the predictions and the target, and the options (*weights, scale_weights). A target that needs a
# gradient takes ``_differentiable_target`` of ``ebgan_kernels.ops.gdl_scales``.
MultiscalePredictionLossFunction = fused_loss(
    "multiscale_prediction_loss", layout=_scales, constants=1, reference=_multiscale_reference
)


class AveragesFunction(torch.autograd.Function):
    """The levels of a pyramid but x itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, levels: int, backend: Backend) -> tuple[Tensor, ...]:
        ctx.backend = backend
        return tuple(operator(backend, "average_pyramid")(x.contiguous(), levels))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if differentiated_again():
            return reference.average_pyramid_backward(gradients), None, None
        transpose = operator(ctx.backend, "average_pyramid_backward")
        return transpose([gradient.contiguous() for gradient in gradients]), None, None

"""Autograd of the gradient-difference family; its public functions are in ``ops.gdl`` and ``ops.gdl_scales``.

Every ``backward`` returns one gradient for each argument of ``forward``, and None for one that is no tensor.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.native.gdl import REDUCTIONS
from ebgan_kernels.native.library import empty_gradient
from ebgan_kernels.ops.gradients import (
    Gradients,
    differentiated_again,
    operator,
    reference_gradients,
    scaled_in_place,
    stored_gradients,
)
from ebgan_kernels.reference import gdl as reference
from ebgan_kernels.reference.gdl import Reduction


class Weights(NamedTuple):
    """The exponents and weights of a prediction loss, in the order of the operators' schemas."""

    p: int
    alpha: float
    lp_weight: float
    gdl_weight: float


class Options(NamedTuple):
    """The arguments that are not tensors: the loss, the implementation, and which inputs need a gradient."""

    spatial_dims: int
    weights: Weights
    reduction: Reduction
    backend: Backend
    needed: tuple[bool, ...]


class PredictionLossFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, prediction: Tensor, target: Tensor, options: Options) -> Tensor:
        spatial_dims, weights, reduction, backend, needed = options
        loss, *gradients = operator(backend, "prediction_loss")(
            prediction.contiguous(),
            target.contiguous(),
            spatial_dims,
            *weights,
            REDUCTIONS[reduction],
            *needed,
        )
        ctx.save_for_backward(prediction, target)
        ctx.options = options
        ctx.stored = None if reduction == "none" else stored_gradients(gradients, needed)
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        spatial_dims, weights, reduction, backend, needed = ctx.options
        if differentiated_again():
            loss = partial(_prediction_reference, options=ctx.options)
            return *reference_gradients(loss, ctx.saved_tensors, needed, grad_loss), None
        stored, ctx.stored = ctx.stored, None
        if stored is not None and scaled_in_place(backend, stored, grad_loss):
            return *stored, None
        pair = [tensor.contiguous() for tensor in ctx.saved_tensors]
        buffers = _buffers(pair, needed, stored)
        operator(backend, "prediction_loss_backward_")(
            *buffers, grad_loss, *pair, spatial_dims, *weights, REDUCTIONS[reduction], stored is not None
        )
        return *stored_gradients(buffers, needed), None


def _prediction_reference(prediction: Tensor, target: Tensor, options: Options) -> Tensor:
    return reference.prediction_loss(
        prediction, target, options.spatial_dims, *options.weights, options.reduction
    )


def _buffers(inputs: list[Tensor], needed: tuple[bool, ...], stored: Gradients | None) -> list[Tensor]:
    """The gradients that a forward pass stored, or new memory; a gradient not needed has no elements."""
    if stored is None:
        stored = [None] * len(inputs)
    return [
        empty_gradient(tensor, need) if gradient is None else gradient
        for tensor, need, gradient in zip(inputs, needed, stored, strict=True)
    ]


class MultiscaleOptions(NamedTuple):
    """The arguments that are not tensors; ``scale_weights`` go coarse to fine, ``weights`` hold for all."""

    weights: Weights
    scale_weights: tuple[float, ...]
    backend: Backend
    needed: tuple[bool, ...]


class MultiscalePredictionLossFunction(torch.autograd.Function):
    """The loss as a function of the predictions.

    A target that needs a gradient takes ``_differentiable_target`` of ``ebgan_kernels.ops.gdl_scales``.
    """

    @staticmethod
    def forward(ctx: Any, target: Tensor, options: MultiscaleOptions, *predictions: Tensor) -> Tensor:
        weights, scale_weights, backend, needed = options
        loss, gradients = operator(backend, "multiscale_prediction_loss")(
            [prediction.contiguous() for prediction in predictions],
            target.contiguous(),
            *weights,
            scale_weights,
            any(needed),
        )
        ctx.save_for_backward(target, *predictions)
        ctx.options = options
        ctx.stored = gradients
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        weights, scale_weights, backend, needed = ctx.options
        if differentiated_again():
            target, *predictions = ctx.saved_tensors
            loss = partial(_multiscale_reference, target=target, options=ctx.options)
            return None, None, *reference_gradients(loss, predictions, needed, grad_loss)
        stored, ctx.stored = ctx.stored, None
        if stored is not None and scaled_in_place(backend, stored, grad_loss):
            return None, None, *stored_gradients(stored, needed)
        target, *predictions = [tensor.contiguous() for tensor in ctx.saved_tensors]
        gradients = _buffers(predictions, (True,) * len(predictions), stored)
        operator(backend, "multiscale_prediction_loss_backward_")(
            gradients, grad_loss, predictions, target, *weights, scale_weights, stored is not None
        )
        return None, None, *stored_gradients(gradients, needed)


def _multiscale_reference(*predictions: Tensor, target: Tensor, options: MultiscaleOptions) -> Tensor:
    return reference.multiscale_prediction_loss(predictions, target, *options.weights, options.scale_weights)


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

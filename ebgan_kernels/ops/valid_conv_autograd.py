"""Autograd of the valid convolutions' kernels; the public functions are in ``ebgan_kernels.ops.valid_conv``.

The forward pass keeps the arguments for the backward pass and, with an activation, the outputs, from which
the derivative of the activation is computed. Nothing from before the activation is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.native.library import of_all
from ebgan_kernels.native.valid_conv import ACTIVATIONS, channels_last
from ebgan_kernels.ops.gradients import differentiated_again, operator, reference_gradients
from ebgan_kernels.reference import valid_conv as reference
from ebgan_kernels.reference.valid_conv import Activation


class Options(NamedTuple):
    """The arguments that are not tensors; bits of ``needed`` are for inputs, then weights, then biases."""

    scales: int
    activation: Activation
    tf32: bool
    backend: Backend
    needed: int


def dense(tensor: Tensor) -> Tensor:
    """The tensor as the operators take it, contiguous or channels-last; copied where it is neither."""
    return tensor if channels_last(tensor) else tensor.contiguous()


def _by_kind(values: Sequence[Any], scales: int) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """Splits values into those of inputs, of weights and of biases."""
    return values[:scales], values[scales : 2 * scales], values[2 * scales :]


class MultiscaleValidConv2dFunction(torch.autograd.Function):
    """The layer of all scales; it takes all inputs, then all weights, then all biases, None where absent."""

    @staticmethod
    def forward(ctx: Any, options: Options, *tensors: Tensor | None) -> tuple[Tensor, ...]:
        inputs, weights, biases = _by_kind(tensors, options.scales)
        outputs = operator(options.backend, "multiscale_valid_conv2d")(
            [dense(input) for input in inputs],
            [dense(weight) for weight in weights],
            [
                weight.new_empty(0) if bias is None else bias.contiguous()
                for bias, weight in zip(biases, weights, strict=True)
            ],
            ACTIVATIONS[options.activation],
            options.tf32,
        )
        ctx.options = options
        # The biases are saved although backward does not read them, because differentiating twice does.
        ctx.save_for_backward(*tensors, *(outputs if options.activation != "none" else ()))
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        scales, activation, tf32, backend, needed = ctx.options
        tensors, outputs = ctx.saved_tensors[: 3 * scales], ctx.saved_tensors[3 * scales :]
        inputs, weights, _ = _by_kind(tensors, scales)
        if differentiated_again():
            again: list[Tensor | None] = [None] * len(tensors)
            for scale, grad_output in enumerate(grad_outputs):
                of_scale = slice(scale, None, scales)
                of_kinds = sum((needed >> scale + kind * scales & 1) << kind for kind in range(3))
                again[of_scale] = _reference_gradients(tensors[of_scale], of_kinds, grad_output, activation)
            return None, *again
        grad_outputs = tuple(map(dense, grad_outputs))
        gradients = operator(backend, "multiscale_valid_conv2d_backward")(
            grad_outputs,
            outputs or grad_outputs,
            [dense(input) for input in inputs],
            [dense(weight) for weight in weights],
            ACTIVATIONS[activation],
            tf32,
            *(needed >> kind * scales & (1 << scales) - 1 for kind in range(3)),
        )
        return None, *of_all(gradients, needed, len(tensors))


def _reference_gradients(
    layer: Sequence[Tensor | None],
    needed: int,
    grad_output: Tensor,
    activation: Activation,
) -> list[Tensor | None]:
    """The gradients of one scale, computed by the reference with a graph of their own."""
    present = [tensor for tensor in layer if tensor is not None]
    convolve = partial(_convolve, activation=activation)
    gradients = reference_gradients(convolve, present, needed, grad_output)
    return [*gradients, *[None] * (len(layer) - len(present))]


def _convolve(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: Activation) -> Tensor:
    return reference.valid_conv2d(input, weight, bias, activation)

"""Autograd of valid convolutions by kernels; the public functions are in ``ebgan_kernels.ops.valid_conv``.

What is kept from forward to backward are the arguments and, with an activation, the outputs: its derivative
is taken from them, and nothing is kept from before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.native.valid_conv import ACTIVATIONS, channels_last
from ebgan_kernels.ops.gradients import differentiated_again, operator, reference_gradients, stored_gradients
from ebgan_kernels.reference import valid_conv as reference
from ebgan_kernels.reference.valid_conv import Activation


class Options(NamedTuple):
    """What is not a tensor; ``needed`` by input, then by weight, then by bias."""

    scales: int
    activation: Activation
    tf32: bool
    backend: Backend
    needed: tuple[bool, ...]


def dense(tensor: Tensor) -> Tensor:
    """Contiguous or channels-last, as the operators ask; copied where it is neither."""
    return tensor if channels_last(tensor) else tensor.contiguous()


def _by_kind(values: Sequence[Any], scales: int) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    """Of inputs, of weights, of biases."""
    return values[:scales], values[scales : 2 * scales], values[2 * scales :]


class MultiscaleValidConv2dFunction(torch.autograd.Function):
    """Inputs, weights and biases, each of all scales; a bias is None where it is absent."""

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
        # A bias is not read again, but differentiating twice takes the function of all.
        ctx.save_for_backward(*tensors, *(outputs if options.activation != "none" else ()))
        return tuple(outputs)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        scales, activation, tf32, backend, needed = ctx.options
        tensors, outputs = ctx.saved_tensors[: 3 * scales], ctx.saved_tensors[3 * scales :]
        inputs, weights, _ = _by_kind(tensors, scales)
        if differentiated_again():
            gradients: list[Tensor | None] = [None] * len(tensors)
            for scale, grad_output in enumerate(grad_outputs):
                of_scale = slice(scale, None, scales)
                gradients[of_scale] = _reference_gradients(
                    tensors[of_scale], needed[of_scale], grad_output, activation
                )
            return None, *gradients
        grad_outputs = tuple(map(dense, grad_outputs))
        kinds = operator(backend, "multiscale_valid_conv2d_backward")(
            grad_outputs,
            outputs or grad_outputs,
            [dense(input) for input in inputs],
            [dense(weight) for weight in weights],
            ACTIVATIONS[activation],
            tf32,
            *_by_kind(needed, scales),
        )
        return None, *stored_gradients([gradient for kind in kinds for gradient in kind], needed)


def _reference_gradients(
    layer: Sequence[Tensor | None],
    needed: Sequence[bool],
    grad_output: Tensor,
    activation: Activation,
) -> list[Tensor | None]:
    """Of one scale, with a graph of their own."""
    present = [tensor for tensor in layer if tensor is not None]
    convolve = partial(_convolve, activation=activation)
    gradients = reference_gradients(convolve, present, needed[: len(present)], grad_output)
    return [*gradients, *[None] * (len(layer) - len(present))]


def _convolve(input: Tensor, weight: Tensor, bias: Tensor | None = None, *, activation: Activation) -> Tensor:
    return reference.valid_conv2d(input, weight, bias, activation)

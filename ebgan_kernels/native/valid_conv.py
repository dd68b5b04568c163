"""Schemas and fake kernels of the valid-convolution family: see ``ebgan_kernels.native.library``.

Layout, for every implementation: images (N, C, H, W) and weights (O, C, KH, KW) are contiguous or
channels-last, each tensor on its own; biases (O,) are contiguous. A result has the layout of the tensor it
belongs to: an output that of its input, a gradient that of what it is the gradient of. All tensors of one
scale, and so of one call, have one dtype and device. H >= KH and W >= KW, no size but N is 0; the scales are
independent, also in N, C, O and kernel.

``tf32`` counts for float32 on CUDA alone: products may round their factors to TF32. Half types multiply as
they are, and every sum is held in float32, in float64 for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.native.library import define

# leaky_relu: negative slope 0.2
ACTIVATIONS = {"none": 0, "relu": 1, "leaky_relu": 2, "tanh": 3}

SCHEMAS = {
    # one layer at every scale in one launch; a bias that is absent is a tensor of 0 elements
    "multiscale_valid_conv2d": (
        "(Tensor[] inputs, Tensor[] weights, Tensor[] biases, int activation, bool tf32) -> Tensor[]"
    ),
    # Gradients of inputs, weights and biases; one that is not needed is a tensor of 0 elements. The
    # activation's derivative comes from the output (relu: where it is > 0, tanh: 1 - output^2), so
    # with "none" outputs are not read.
    "multiscale_valid_conv2d_backward": (
        "(Tensor[] grad_outputs, Tensor[] outputs, Tensor[] inputs, Tensor[] weights, int activation,"
        " bool tf32, bool[] need_input, bool[] need_weight, bool[] need_bias)"
        " -> (Tensor[], Tensor[], Tensor[])"
    ),
}


def channels_last(tensor: Tensor) -> bool:
    """Whether a tensor of four axes counts as channels-last; what is both counts as contiguous."""
    return not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)


def empty_output(input: Tensor, weight: Tensor) -> Tensor:
    """Uninitialised (N, O, H - KH + 1, W - KW + 1), in the layout of the input."""
    samples, _, height, width = input.shape
    maps, _, rows, columns = weight.shape
    return torch.empty(
        (samples, maps, height - rows + 1, width - columns + 1),
        dtype=input.dtype,
        device=input.device,
        memory_format=torch.channels_last if channels_last(input) else torch.contiguous_format,
    )


def empty_gradients(tensors: Sequence[Tensor], needed: Sequence[bool]) -> list[Tensor]:
    """Uninitialised, in the layouts of the tensors; of 0 elements where not needed."""
    return [
        torch.empty_like(tensor) if need else tensor.new_empty(0)
        for tensor, need in zip(tensors, needed, strict=True)
    ]


def empty_bias_gradients(weights: Sequence[Tensor], needed: Sequence[bool]) -> list[Tensor]:
    """Uninitialised (O,), in the dtype of the weights; of 0 elements where not needed."""
    return [
        weight.new_empty(weight.shape[0] if need else 0) for weight, need in zip(weights, needed, strict=True)
    ]


def _fake_forward(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    activation: int,
    tf32: bool,
) -> list[Tensor]:
    return [empty_output(input, weight) for input, weight in zip(inputs, weights, strict=True)]


def _fake_backward(
    grad_outputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    activation: int,
    tf32: bool,
    need_input: Sequence[bool],
    need_weight: Sequence[bool],
    need_bias: Sequence[bool],
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    return (
        empty_gradients(inputs, need_input),
        empty_gradients(weights, need_weight),
        empty_bias_gradients(weights, need_bias),
    )


FAKES: dict[str, Callable[..., Any]] = {
    "multiscale_valid_conv2d": _fake_forward,
    "multiscale_valid_conv2d_backward": _fake_backward,
}
define(SCHEMAS, FAKES)

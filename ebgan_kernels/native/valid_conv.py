"""Schemas and fake kernels of the valid-convolution family: see ``ebgan_kernels.native.library``.

Every implementation takes this layout: each of the images (N, C, H, W) and weights (O, C, KH, KW) is
contiguous or channels-last by itself; biases (O,) are contiguous. An output has the layout of its input, a
gradient that of the tensor it belongs to. All tensors of a call have one dtype and device. H >= KH and W >=
KW, and no size but N is 0; N, C, O and kernel may differ from scale to scale.

``tf32`` matters only for float32 on CUDA, where products may then round their factors to TF32. Half types are
multiplied as they are, and every sum is held in float32, or in float64 for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.native.library import define, empty_gradients, empty_samples

# The negative slope of leaky_relu is 0.2.
ACTIVATIONS = {"none": 0, "relu": 1, "leaky_relu": 2, "tanh": 3}

SCHEMAS = {
    # Computes one layer at every scale in one launch. An absent bias is a tensor of 0 elements.
    "multiscale_valid_conv2d": (
        "(Tensor[] inputs, Tensor[] weights, Tensor[] biases, int activation, bool tf32) -> Tensor[]"
    ),
    # Returns the needed ones of the gradients of all inputs, then all weights, then all biases. The
    # activation's derivative is computed from the output (for relu whether it is > 0, for tanh 1 - output^2),
    # so with "none" outputs are not read.
    "multiscale_valid_conv2d_backward": (
        "(Tensor[] grad_outputs, Tensor[] outputs, Tensor[] inputs, Tensor[] weights, int activation,"
        " bool tf32, int need_inputs, int need_weights, int need_biases) -> Tensor[]"
    ),
}


def channels_last(tensor: Tensor) -> bool:
    """Whether a tensor of four axes is channels-last and not also contiguous."""
    return not tensor.is_contiguous() and tensor.is_contiguous(memory_format=torch.channels_last)


def _empty_output(input: Tensor, weight: Tensor) -> Tensor:
    """An uninitialised output (N, O, H - KH + 1, W - KW + 1), in the layout of the input."""
    height, width = (input.shape[axis] - weight.shape[axis] + 1 for axis in (2, 3))
    layout = torch.channels_last if channels_last(input) else torch.contiguous_format
    size = (input.shape[0], weight.shape[0], height, width)
    return torch.empty(size, dtype=input.dtype, device=input.device, memory_format=layout)


def _fake_forward(inputs: Sequence[Tensor], weights: Sequence[Tensor], *_: Any) -> list[Tensor]:
    return [_empty_output(input, weight) for input, weight in zip(inputs, weights, strict=True)]


def _fake_backward(*arguments: Any) -> list[Tensor]:
    _, _, inputs, weights, _, _, need_inputs, need_weights, need_biases = arguments
    return [
        *empty_gradients(inputs, need_inputs, empty_samples),
        *empty_gradients(weights, need_weights, empty_samples),
        *empty_gradients(weights, need_biases, lambda weight: weight.new_empty(weight.shape[0])),
    ]


FAKES: dict[str, Callable[..., Any]] = {
    "multiscale_valid_conv2d": _fake_forward,
    "multiscale_valid_conv2d_backward": _fake_backward,
}
define(SCHEMAS, FAKES)

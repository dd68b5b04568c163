"""Valid convolutions with their activation in plain PyTorch: definition, fallback, test oracle and baseline.

Every function here is differentiable by autograd to any order. The activation works in place on the
convolution's result, which nothing else holds. Arguments have passed ``ebgan_kernels.checks``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Activation = Literal["none", "relu", "leaky_relu", "tanh"]
NEGATIVE_SLOPE = 0.2

IN_PLACE: dict[Activation, Callable[[Tensor], Tensor]] = {
    "none": lambda x: x,
    "relu": torch.relu_,
    "leaky_relu": lambda x: functional.leaky_relu_(x, NEGATIVE_SLOPE),
    "tanh": torch.tanh_,
}


def valid_conv2d(input: Tensor, weight: Tensor, bias: Tensor | None, activation: Activation) -> Tensor:
    """A convolution without padding and its activation: (N, C, H, W) -> (N, O, H - KH + 1, W - KW + 1)."""
    return IN_PLACE[activation](functional.conv2d(input, weight, bias))


def multiscale_valid_conv2d(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor | None],
    activation: Activation,
) -> list[Tensor]:
    """Computes one layer at every scale, one scale after the other."""
    return [valid_conv2d(*layer, activation) for layer in zip(inputs, weights, biases, strict=True)]

"""Operators of the family valid_conv with valid arguments, and its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import ebgan_kernels as ek
from support.arguments import IMAGES

# Lists hold one tensor a scale.
OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "valid_conv2d": (
        ek.valid_conv2d,
        {"input": IMAGES, "weight": torch.rand(4, 3, 3, 3), "bias": torch.rand(4)},
    ),
    "multiscale_valid_conv2d": (
        ek.multiscale_valid_conv2d,
        {"inputs": [IMAGES], "weights": [torch.rand(4, 3, 3, 3)], "biases": [torch.rand(4)]},
    ),
}
MODULES: dict[type[nn.Module], Callable[[], nn.Module]] = {
    ek.ValidConv2d: lambda: ek.ValidConv2d(1, 2, 3),
    ek.MultiscaleValidConv2d: lambda: ek.MultiscaleValidConv2d([1], [2], [3]),
}

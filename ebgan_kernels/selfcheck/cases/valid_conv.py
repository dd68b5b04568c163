"""Cases of the valid-convolution family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ebgan_kernels.selfcheck.case import Case, Layout
from ebgan_kernels.selfcheck.cases.drawing import (
    BRAIN,
    DOUBLE,
    HALF,
    SINGLE,
    Dtypes,
    Shape,
    active,
    named,
    normal,
)

# A layer is (N, C, H, W, O, KH, KW).
FEW_SCALES = ((2, 3, 4, 4, 5, 3, 3), (3, 2, 3, 3, 17, 3, 3))
# These are the first layers of the discriminator of 4 to 1.
FOUR_SCALES = (
    (2, 15, 4, 4, 64, 3, 3),
    (2, 15, 8, 8, 64, 3, 3),
    (2, 15, 16, 16, 128, 5, 5),
    (2, 15, 32, 32, 128, 7, 7),
)


def _layers(generator: torch.Generator, layers: Sequence[Shape]) -> list[Tensor]:
    inputs = [normal(generator, *layer[:4]) for layer in layers]
    weights = [
        normal(generator, maps, channels, *kernel) * (channels * math.prod(kernel)) ** -0.5
        for _, channels, _, _, maps, *kernel in layers
    ]
    return [*inputs, *weights, *(normal(generator, layer[4]) for layer in layers)]


def _convolution(
    operator: str,
    shape: str,
    names: tuple[str, ...],
    layers: Sequence[Shape],
    activation: str,
    dtypes: Dtypes,
    layout: Layout,
) -> Case:
    # Each order of the terms of a sum loses other digits, more of them in longer sums, and outputs that
    # cancel have no digit in common. In a half type the slope of an activation is taken from a rounded
    # output, and the gradient is rounded again before it is summed, in torch's convolutions too.
    half = dtypes[0] in (HALF, BRAIN)
    terms = max(max(channels, maps) * math.prod(kernel) for _, channels, _, _, maps, *kernel in layers)
    return Case(
        operator=operator,
        shape=shape,
        names=names,
        draw=partial(_layers, layers=layers),
        options=active(activation),
        dtypes=dtypes,
        layout=layout,
        cancelling=1.0,
        allowed=2.0 if half else max(1.0, terms**0.5 / 16),
    )


def conv(layer: Shape, activation: str, dtypes: Dtypes = (SINGLE,), layout: Layout = "contiguous") -> Case:
    shape = f"{named(layer[:4])} * {named(layer[4:])}"
    names = ("input", "weight", "bias")
    return _convolution("valid_conv2d", shape, names, (layer,), activation, dtypes, layout)


def multiscale_conv(
    layers: Sequence[Shape], activation: str, dtypes: Dtypes = (SINGLE,), layout: Layout = "contiguous"
) -> Case:
    shape = f"{len(layers)} scales, {named(layers[-1][:4])} * {named(layers[-1][4:])}"
    names = tuple(f"{kind}[{k}]" for kind in ("inputs", "weights", "biases") for k in range(len(layers)))
    return _convolution("multiscale_valid_conv2d", shape, names, layers, activation, dtypes, layout)


# These are thin layers and layers that tensor cores take, with every activation.
CASES = (
    conv((2, 2, 4, 5, 3, 2, 3), "relu"),
    conv((2, 2, 4, 5, 3, 2, 3), "tanh", (BRAIN,), "channels-last"),
    conv((2, 16, 5, 4, 17, 3, 2), "leaky_relu", (HALF,)),
    conv((1, 1, 9, 5, 1, 1, 1), "none", (DOUBLE,)),
    conv((3, 3, 34, 33, 16, 3, 3), "leaky_relu", layout="channels-last"),
    conv((2, 64, 20, 20, 128, 5, 5), "relu"),
    conv((2, 64, 20, 20, 128, 5, 5), "tanh", (BRAIN,), "channels-last"),
    conv((4, 128, 6, 6, 256, 3, 3), "leaky_relu", (HALF,)),
    conv((4, 256, 8, 8, 256, 5, 5), "tanh", layout="channels-last"),
    conv((2, 128, 12, 12, 3, 3, 3), "none", (BRAIN,)),
    multiscale_conv(FEW_SCALES, "relu"),
    multiscale_conv(FEW_SCALES, "leaky_relu", (BRAIN,), "channels-last"),
    multiscale_conv(FEW_SCALES, "tanh", (HALF,)),
    multiscale_conv(FEW_SCALES, "none", (DOUBLE,)),
    multiscale_conv(FOUR_SCALES, "relu"),
    multiscale_conv(FOUR_SCALES, "relu", (BRAIN,), "channels-last"),
)

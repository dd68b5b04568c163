"""The generator of Mathieu, Couprie, LeCun, "Deep multi-scale video prediction beyond mean square error"
(arXiv:1511.05440).

It predicts the next frames at the coarsest scale first. Each finer scale sees its own input frames and the
coarser prediction, up-scaled by nearest neighbour, as a guess, and predicts what the guess lacks:

    Y_1 = tanh(G_1(X_1))        Y_k = tanh(G_k(X_k, up(Y_{k-1})) + up(Y_{k-1}))

X_k are the input frames at scale k, averages of 2x2 pixels of the next finer ones; frames enter as channels.
G_k are convolutions that keep the size, with ReLU after all but the last, so a generator that was trained on
patches predicts whole frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

import ebgan_kernels as ek
from ebgan.errors import at_least, one_of
from ebgan.video.layers import COLOURS, as_channels, check_scales, convolution, scaled
from ebgan_kernels.ops.module import Module

Tanh = Literal["after", "before"]


@dataclass(frozen=True)
class GeneratorScale:
    """The layers of G_k: `maps` of the hidden ones, and one more of `kernels` for the last."""

    maps: tuple[int, ...]
    kernels: tuple[int, ...]


class MultiscaleGenerator(Module):
    """A network that predicts, from frames at several scales, those that follow at the same scales.

    Args:
        scales: the layers of each scale, coarse to fine.
        input_frames: how many frames are given.
        target_frames: how many frames are predicted.
        width: factor on the maps of every hidden layer.
        tanh: "after" the guess is added, as in the authors' program, which keeps predictions within [-1, 1];
            or "before", at the end of the convolutions, as the deck's figure draws it: then a prediction may
            leave that range, by up to 1 for each scale after the first.

    Example:
        >>> scale = GeneratorScale(maps=(8,), kernels=(3, 3))
        >>> generator = MultiscaleGenerator((scale, scale), input_frames=4, target_frames=1)
        >>> frames = [torch.zeros(2, 4, 3, side, side) for side in (16, 32)]
        >>> [tuple(prediction.shape) for prediction in generator(frames)]
        [(2, 1, 3, 16, 16), (2, 1, 3, 32, 32)]
        >>> generator.predict(torch.zeros(1, 4, 3, 48, 64)).shape
        torch.Size([1, 1, 3, 48, 64])
    """

    def __init__(
        self,
        scales: Sequence[GeneratorScale],
        *,
        input_frames: int,
        target_frames: int,
        width: float = 1.0,
        tanh: Tanh = "after",
    ) -> None:
        super().__init__()
        at_least("input_frames", input_frames, 1)
        at_least("target_frames", target_frames, 1)
        one_of("tanh", tanh, get_args(Tanh))
        self.input_frames, self.target_frames, self.tanh = input_frames, target_frames, tanh
        given, predicted = COLOURS * input_frames, COLOURS * target_frames
        self.scales = nn.ModuleList(
            _layers(given + (predicted if level else 0), scale, predicted, width)
            for level, scale in enumerate(scales)
        )

    def forward(self, frames: Sequence[Tensor]) -> list[Tensor]:
        """The predictions (B, target_frames, 3, H, W), coarse to fine.

        Args:
            frames: (B, input_frames, 3, H, W) in [-1, 1], coarse to fine; the finest sides are divisible by
                2^(scales - 1).
        """
        check_scales("frames", frames, len(self.scales))
        predictions: list[Tensor] = []
        for layers, scale in zip(self.scales, frames, strict=True):
            channels = as_channels("frames", scale, self.input_frames)
            if not predictions:
                predictions.append(layers(channels).tanh())
                continue
            guess = interpolate(predictions[-1], scale_factor=2.0, mode="nearest")
            residual = layers(torch.cat((channels, guess), 1))
            predictions.append((residual + guess).tanh() if self.tanh == "after" else residual.tanh() + guess)
        return [prediction.unflatten(1, (self.target_frames, COLOURS)) for prediction in predictions]

    def predict(self, frames: Tensor) -> Tensor:
        """The prediction, at the finest scale, of frames (B, input_frames, 3, H, W) at that scale alone."""
        return self(ek.average_pyramid(frames, len(self.scales)))[-1]


def _layers(inputs: int, scale: GeneratorScale, outputs: int, width: float) -> nn.Sequential:
    maps = (inputs, *scaled(scale.maps, width), outputs)
    last = len(scale.kernels) - 1
    return nn.Sequential(
        *(
            convolution(*ends, kernel, padding=kernel // 2, activation=index < last)
            for index, (ends, kernel) in enumerate(zip(pairwise(maps), scale.kernels, strict=True))
        )
    )

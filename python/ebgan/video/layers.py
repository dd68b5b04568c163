"""The parts of the networks of `ebgan.video`: one convolution, frames as channels, a width."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ebgan.errors import UserError, positive
from ebgan_kernels.ops.module import Module

COLOURS = 3


class ConvolutionReLU(Module, nn.Conv2d):
    """A convolution and the ReLU after it, with the arguments and the state dict of `nn.Conv2d`."""

    def forward(self, input: Tensor) -> Tensor:
        """The convolution, negative values set to 0.

        Args:
            input: (B, C, H, W).
        """
        return super().forward(input).relu_()


def convolution(
    inputs: int, outputs: int, kernel: int, *, padding: int = 0, activation: bool = True
) -> nn.Conv2d:
    """Make a convolution of the networks: it has stride 1, and a ReLU unless told otherwise.

    Weights and biases start as PyTorch has it, uniform up to 1 / sqrt(inputs * kernel^2), which is also how
    the Lua Torch of the authors' program began.
    """
    layer = ConvolutionReLU if activation else nn.Conv2d
    return layer(inputs, outputs, kernel, padding=padding)


def scaled(counts: Sequence[int], width: float) -> tuple[int, ...]:
    """Maps or units of layers at `width` times the published ones, at least 1 each."""
    positive("width", width)
    return tuple(max(1, round(count * width)) for count in counts)


def as_channels(argument: str, frames: Tensor, count: int) -> Tensor:
    """`count` frames (B, T, 3, H, W) as channels (B, 3 T, H, W), in the order of time."""
    if frames.ndim != 5 or frames.shape[1:3] != (count, COLOURS):
        raise UserError(
            f"{argument}: got the shape {tuple(frames.shape)}, allowed is (B, {count}, {COLOURS}, H, W)"
        )
    return frames.flatten(1, 2)


def check_scales(argument: str, frames: Sequence[Tensor], count: int) -> None:
    """Raise `UserError` unless there are frames of one batch for each of `count` scales, each twice the one
    before.
    """
    sides = [tuple(scale.shape[-2:]) for scale in frames]
    finest = sides[-1] if sides else (0, 0)
    expected = [(finest[0] >> level, finest[1] >> level) for level in reversed(range(count))]
    if sides != expected or any(side % (1 << (count - 1)) for side in finest):
        found = ", ".join(f"{height}x{width}" for height, width in sides) or "none"
        raise UserError(
            f"{argument}: got {found}, allowed are {count} scales from coarse to fine, each with twice the "
            f"sides of the one before, the last with sides divisible by {1 << (count - 1)}"
        )
    counts = [len(scale) for scale in frames]
    if any(count != counts[0] for count in counts):
        found = ", ".join(map(str, counts))
        raise UserError(f"{argument}: got batches of {found} clips, allowed is one batch at all scales")

"""The conditional discriminators of arXiv:1511.05440, one at each scale of the generator.

Each sees the input frames and, after them as further channels, the frames that followed or their prediction:
convolutions without padding, ReLU after each, at the finest scale a 2x2 max pool, then dense layers down to
one logit, real being positive.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from ebgan.errors import UserError, at_least
from ebgan.video.layers import COLOURS, as_channels, check_scales, convolution, scaled
from ebgan_kernels.ops.module import Module

PATCH = 32  # pixels of the patches that the paper trains on; the published sizes of dense layers are for it

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DiscriminatorScale:
    """The layers of D_k: `maps` and `kernels` of its convolutions, then dense layers of so many `units`."""

    maps: tuple[int, ...]
    kernels: tuple[int, ...]
    units: tuple[int, ...]

    def side(self, side: int, *, pool: bool) -> int:
        """The side that the convolutions, and the pool, leave of `side` pixels."""
        left = side - sum(kernel - 1 for kernel in self.kernels)
        return left // 2 if pool else left


class MultiscaleDiscriminator(Module):
    """A network that gives a real or predicted clip, at several scales, one logit a scale.

    A dense layer belongs to one size of patch. Those for patches larger than the paper's 32 pixels are large:
    their sizes are logged, as a warning of one line, before they are allocated.

    Args:
        scales: the layers of each scale, coarse to fine.
        input_frames: how many frames are given.
        target_frames: how many frames follow.
        patch: side of the patches at the finest scale.
        width: factor on maps and units.

    Example:
        >>> scale = DiscriminatorScale(maps=(8,), kernels=(3,), units=(16,))
        >>> discriminator = MultiscaleDiscriminator((scale, scale), input_frames=4, target_frames=1)
        >>> frames = [torch.zeros(2, 4, 3, side, side) for side in (16, 32)]
        >>> discriminator(frames, [scale[:, :1] for scale in frames]).shape
        torch.Size([2, 2])
    """

    def __init__(
        self,
        scales: Sequence[DiscriminatorScale],
        *,
        input_frames: int,
        target_frames: int,
        patch: int = PATCH,
        width: float = 1.0,
    ) -> None:
        super().__init__()
        at_least("input_frames", input_frames, 1)
        at_least("target_frames", target_frames, 1)
        self.input_frames, self.target_frames, self.patch = input_frames, target_frames, patch
        finest = len(scales) - 1
        pools = [level == finest for level in range(len(scales))]
        sides = [
            scale.side(patch >> (finest - level), pool=pools[level]) for level, scale in enumerate(scales)
        ]
        if patch % (1 << finest) or min(sides) < 1:
            raise UserError(
                f"patch: got {patch}, allowed are multiples of {1 << finest} of which the convolutions "
                f"leave a pixel at every scale (here they leave {', '.join(map(str, sides))})"
            )
        dense = [
            (scaled(scale.maps, width)[-1] * side**2, *scaled(scale.units, width), 1)
            for scale, side in zip(scales, sides, strict=True)
        ]
        if patch > PATCH:
            _log.warning(_described(patch, dense))
        channels = COLOURS * (input_frames + target_frames)
        self.scales = nn.ModuleList(
            nn.Sequential(
                *_convolutions((channels, *scaled(scale.maps, width)), scale.kernels),
                *((nn.MaxPool2d(2),) if pool else ()),
                nn.Flatten(),
                *_dense(units),
            )
            for scale, pool, units in zip(scales, pools, dense, strict=True)
        )

    def forward(self, frames: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
        """The logits (B, scales).

        Args:
            frames: (B, input_frames, 3, h, w), coarse to fine, the last of `patch` pixels.
            targets: (B, target_frames, 3, h, w), what follows them or is predicted, at the same scales.
        """
        for name, scales in (("frames", frames), ("targets", targets)):
            check_scales(name, scales, len(self.scales))
            if scales[-1].shape[-2:] != (self.patch, self.patch):
                found = "x".join(map(str, scales[-1].shape[-2:]))
                raise UserError(
                    f"{name}: got {found} pixels, this discriminator's patch is {self.patch}x{self.patch}"
                )
        if len(frames[-1]) != len(targets[-1]):
            raise UserError(
                f"targets: got {len(targets[-1])} clips, allowed are {len(frames[-1])}, as many as frames"
            )
        maps = []
        for given, following in zip(frames, targets, strict=True):
            given = as_channels("frames", given, self.input_frames)
            following = as_channels("targets", following, self.target_frames)
            maps.append(torch.cat((given, following), 1))
        return torch.cat(self.logits(maps), 1)

    def logits(self, maps: list[Tensor]) -> list[Tensor]:
        """The logits (B, 1) of channels (B, C, h, w) at each scale: layer by layer, the convolutions of all
        scales that have the layer as one operation; then, scale by scale, what follows the convolutions.
        """
        scales = cast("list[nn.Sequential]", list(self.scales))
        stacks = [[layer for layer in layers if isinstance(layer, nn.Conv2d)] for layers in scales]
        for depth in range(max(map(len, stacks))):
            having = [level for level, stack in enumerate(stacks) if depth < len(stack)]
            layers = [stacks[level][depth] for level in having]
            outputs = ek.multiscale_valid_conv2d(
                [maps[level] for level in having],
                [layer.weight for layer in layers],
                [layer.bias for layer in layers],
                activation="relu",
            )
            for level, output in zip(having, outputs, strict=True):
                maps[level] = output
        heads = [layers[len(stack) :] for layers, stack in zip(scales, stacks, strict=True)]
        return [head(x) for head, x in zip(heads, maps, strict=True)]


class PlainMultiscaleDiscriminator(MultiscaleDiscriminator):
    """The discriminator in PyTorch's own layers, scale by scale, to compare with; same state dict."""

    def logits(self, maps: list[Tensor]) -> list[Tensor]:
        return [layers(x) for layers, x in zip(self.scales, maps, strict=True)]


def _convolutions(maps: Sequence[int], kernels: Sequence[int]) -> list[nn.Module]:
    return [convolution(*ends, kernel) for ends, kernel in zip(pairwise(maps), kernels, strict=True)]


def _dense(units: Sequence[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(units):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers[:-1]


def _described(patch: int, dense: Sequence[Sequence[int]]) -> str:
    sizes = ", ".join(f"{units[0]:,}x{units[1]:,}" for units in dense)
    weights = sum(units[0] * units[1] for units in dense)
    return (
        f"discriminator for patches of {patch} pixels: first dense layers of {sizes}, {weights:,} weights "
        f"in all, {4e-9 * weights:.2f} GB in float32 and as much for gradients; a smaller width shrinks them"
    )

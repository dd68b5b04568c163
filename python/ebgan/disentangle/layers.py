"""The layers that the networks of disentangling are made of."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ebgan.errors import UserError
from ebgan_kernels.ops.module import Module

LEAK = 0.2


def convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution that keeps the size of its input, or halves it by a stride of 2."""
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=-(-(kernel - stride) // 2))


def rectified(layer: nn.Module, maps: int) -> nn.Sequential:
    """`layer`, batch normalisation, ReLU."""
    return nn.Sequential(layer, nn.BatchNorm2d(maps), nn.ReLU())


def leaky(layer: nn.Module, maps: int) -> nn.Sequential:
    """`layer`, batch normalisation, leaky ReLU."""
    return nn.Sequential(layer, nn.BatchNorm2d(maps), nn.LeakyReLU(LEAK))


class Conditioned(Module):
    """`layer`, plus maps that are looked up by the id, then batch normalisation and leaky ReLU.

    Each factor of the id has a table of its own, and as many of the maps; a row holds maps of the innermost
    size, which are enlarged.

    Args:
        layer: gives maps (N, `maps`, H, W).
        maps: the number of maps.
        identities: how many values each factor has.
        inner: the side of the maps in the tables.
        scale: how many times H and W are larger.
    """

    def __init__(
        self, layer: nn.Module, maps: int, identities: Sequence[int], *, inner: int, scale: int
    ) -> None:
        super().__init__()
        if maps < len(identities):
            raise UserError(f"width: got layers of {maps} maps for {len(identities)} factors of the identity")
        self.layer, self.identities, self.inner, self.scale = layer, tuple(identities), inner, scale
        share = [
            maps * (factor + 1) // len(identities) - maps * factor // len(identities)
            for factor in range(len(identities))
        ]
        self.tables = nn.ModuleList(
            nn.Embedding(values, each * inner**2) for values, each in zip(identities, share, strict=True)
        )
        self.after = nn.Sequential(nn.BatchNorm2d(maps), nn.LeakyReLU(LEAK))

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """The maps (N, `maps`, H, W).

        Args:
            images: what `layer` takes.
            ids: (N, K) int64, one number for each factor.
        """
        rows = [table(ids[:, factor]) for factor, table in enumerate(self.tables)]
        looked_up = torch.cat(rows, 1).unflatten(1, (-1, self.inner, self.inner))
        maps: Tensor = self.after(self.layer(images) + interpolate(looked_up, scale_factor=self.scale))
        return maps


def check_ids(ids: Tensor, count: int, identities: Sequence[int]) -> None:
    """Raise `UserError` unless `ids` are (count, K) int64, each below the number of values of its factor.

    On a GPU, where reading them would wait for it, and under torch.compile the values are not looked at.
    """
    if ids.dtype != torch.int64 or ids.shape != (count, len(identities)):
        raise UserError(
            f"ids: got {ids.dtype} {tuple(ids.shape)}, allowed is int64 ({count}, {len(identities)}), a row "
            "for each image"
        )
    if ids.device.type != "cpu" or torch.compiler.is_compiling() or not count:
        return
    for factor, (least, most) in enumerate(zip(ids.amin(0).tolist(), ids.amax(0).tolist(), strict=True)):
        if least < 0 or most >= identities[factor]:
            raise UserError(
                f"ids: got {least if least < 0 else most} in column {factor}, allowed are 0 to "
                f"{identities[factor] - 1}: the identity is unknown"
            )

"""The interfaces of the networks in `ebgan.gan`; subclass `Generator` for your own."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.ops.module import Module

ImageShape = tuple[int, int, int]


class Generator(Module):
    """A network that makes images (N, C, H, W) in [-1, 1] from noise.

    `noise_shapes` holds the shape of each argument of `forward` without N: one vector, or for nets that
    take noise at several layers one for each.

    Example:
        >>> from ebgan.gan import generator
        >>> digits = generator("digits")
        >>> digits(*digits.noise(16)).shape
        torch.Size([16, 1, 8, 8])
    """

    noise_shapes: tuple[tuple[int, ...], ...]
    forward: Callable[..., Tensor]

    def noise(
        self,
        count: int,
        *,
        device: torch.device | str | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, ...]:
        """The arguments of `forward` for `count` images, drawn from N(0, 1)."""
        return tuple(
            torch.randn(count, *shape, device=device, generator=generator) for shape in self.noise_shapes
        )


class AutoEncoded(NamedTuple):
    """The result of a discriminator, an auto-encoder, for images (N, C, H, W).

    `reconstruction` is (N, C, H, W), and `codes` (N, ...) is the encoder's output.
    """

    reconstruction: Tensor
    codes: Tensor


class Discriminator(Module):
    """An auto-encoder of images: `net(images)` gives `AutoEncoded(reconstruction, codes)`.

    Example:
        >>> from ebgan.gan import discriminator
        >>> reconstruction, codes = discriminator("digits")(torch.zeros(16, 1, 8, 8))
        >>> reconstruction.shape, codes.shape
        (torch.Size([16, 1, 8, 8]), torch.Size([16, 128]))
    """

    def forward(self, images: Tensor) -> AutoEncoded:
        """The reconstruction (N, C, H, W) and the codes (N, ...) of images (N, C, H, W)."""
        raise NotImplementedError


class Classifier(Module):
    """The discriminator of a plain GAN: `net(images)` gives logits (N,), real being positive."""

    def forward(self, images: Tensor) -> Tensor:
        """The logits (N,) of images (N, C, H, W)."""
        raise NotImplementedError

"""What encoders, decoders and discriminators take and give, whichever networks they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from ebgan.errors import UserError
from ebgan_kernels.ops.module import Module

ImageShape = tuple[int, int, int]

HALVINGS = 3  # of an image's sides, from the input of every network to its innermost layer
BLACK = -1.0


class Codes(NamedTuple):
    """What an encoder tells of images: `mean` and `log_std` (N, Z) of the style z, and the identity (N, S).

    `log_std` is the logarithm of the standard deviation, and not of the variance.
    """

    mean: Tensor
    log_std: Tensor
    identity: Tensor

    def style(self) -> Tensor:
        """A sample of z: mean + exp(log_std) e, e from N(0, 1)."""
        return self.mean + self.log_std.exp() * torch.randn_like(self.mean)


class Encoder(Module):
    """A network that tells style from identity: `net(images)` gives `Codes(mean, log_std, identity)`.

    Example:
        >>> from ebgan.disentangle import encoder
        >>> codes = encoder("small", (1, 8, 8), style_size=8, identity_size=16)(torch.zeros(4, 1, 8, 8))
        >>> codes.mean.shape, codes.identity.shape
        (torch.Size([4, 8]), torch.Size([4, 16]))
    """

    def forward(self, images: Tensor) -> Codes:
        """The codes of images (N, C, H, W) in [-1, 1]."""
        raise NotImplementedError


class Decoder(Module):
    """A network that draws the images (N, C, H, W) of styles (N, Z) and identities (N, S)."""

    def forward(self, style: Tensor, identity: Tensor) -> Tensor:
        """The images (N, C, H, W) in [-1, 1] of styles (N, Z) and identities (N, S)."""
        raise NotImplementedError


class Discriminator(Module):
    """A network that tells real images of an identity: `net(images, ids)` gives logits (N,), real positive.

    `ids` (N, K) int64 number the identity, by one number for each of K factors.
    """

    forward: Callable[[Tensor, Tensor], Tensor]


def inner_side(image: ImageShape) -> int:
    """The side of the innermost maps, of images that are padded to sides that can be halved three times."""
    _, height, width = image
    if height != width:
        raise UserError(f"image: got {height}x{width} pixels, allowed are squares; load them with a size")
    return -(-height // 2**HALVINGS)


def padded(images: Tensor, inner: int) -> Tensor:
    """Images with black around them, up to 8 `inner` pixels a side."""
    missing = inner * 2**HALVINGS - images.shape[-1]
    if not missing:
        return images
    before = missing // 2
    return pad(images, (before, missing - before, before, missing - before), value=BLACK)


def cropped(images: Tensor, side: int) -> Tensor:
    """The part of images that `padded` put black around."""
    before = (images.shape[-1] - side) // 2
    return images[..., before : before + side, before : before + side]

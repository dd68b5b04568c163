"""The generators of the EBGAN paper for ImageNet (arXiv:1609.03126): noise enters at every layer, as planes.

In the paper's notation, where (64)4c2s is 64 maps from 4x4 kernels of stride 2, transposed:

    128x128  (1024)4c-(512)4c2s-(256)4c2s-(128)4c2s-(64)4c2s-(64)4c2s-(3)3c          planes 100-64-32-16-8-4
    256x256  (2048)4c-(1024)4c2s-(512)4c2s-(256)4c2s-(128)4c2s-(64)4c2s-(64)4c2s-(3)3c   100-64-32-16-8-4-2

The first noise is a vector; each further one has its planes beside the maps that a layer reads. Hidden layers
are normalised by batch, then ReLU. Weights start at N(0, 0.02), biases at 0, and lie channels-last.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ebgan.errors import at_least
from ebgan.gan.convolutional import (
    GENERATOR_STD,
    check_side,
    check_width,
    doubling,
    hidden,
    initialise,
)
from ebgan.gan.interface import Generator, ImageShape

SIDES = (128, 256)
COARSEST = 4
PLANES = (64, 32, 16, 8, 4, 2)


class NoisePlaneGenerator(Generator):
    """A generator that makes images (N, C, S, S) in [-1, 1], S being 128 or 256, from noise at every layer.

    Its first layer has `width` maps, each following one half as many, but for the last hidden one, which has
    as many as the one before. The noise is a vector (N, `noise_size`) and planes (N, 64, 4, 4),
    (N, 32, 8, 8) and so on, up to half the side of the images.

    Args:
        image: the shape (C, S, S) of the images.
        noise_size: the length of the noise vector.
        width: the maps of the first layer; a multiple of 16 for 128x128, of 32 for 256x256.

    Example:
        >>> generator = NoisePlaneGenerator((3, 128, 128), width=32)
        >>> generator(*generator.noise(2)).shape
        torch.Size([2, 3, 128, 128])
        >>> generator.noise_shapes
        ((100,), (64, 4, 4), (32, 8, 8), (16, 16, 16), (8, 32, 32), (4, 64, 64))
    """

    def __init__(self, image: ImageShape, *, noise_size: int = 100, width: int = 1024) -> None:
        super().__init__()
        check_side(image, SIDES)
        at_least("noise_size", noise_size, 1)
        doublings = (image[1] // COARSEST).bit_length() - 1
        check_width("generator width", width, 1 << (doublings - 1))
        planes = PLANES[:doublings]
        self.noise_shapes = (
            (noise_size,),
            *((count, COARSEST << level, COARSEST << level) for level, count in enumerate(planes)),
        )
        self.first = nn.Sequential(
            nn.Unflatten(1, (noise_size, 1, 1)),
            nn.ConvTranspose2d(noise_size, width, COARSEST),
            *hidden(width),
        )
        widths = [*(width >> level for level in range(doublings)), width >> (doublings - 1)]
        self.body = nn.ModuleList(
            nn.Sequential(doubling(inputs + count, outputs), *hidden(outputs))
            for (inputs, outputs), count in zip(pairwise(widths), planes, strict=True)
        )
        self.last = nn.Sequential(nn.Conv2d(widths[-1], image[0], 3, padding=1), nn.Tanh())
        initialise(self, GENERATOR_STD)

    def forward(self, z: Tensor, *planes: Tensor) -> Tensor:
        """The images (N, C, S, S).

        Args:
            z: noise (N, `noise_size`), as `noise` draws it.
            planes: noise (N, P, s, s) for each further layer, coarse to fine.
        """
        maps: Tensor = self.first(z)
        for layer, plane in zip(self.body, planes, strict=True):
            maps = layer(torch.cat((maps, plane), 1))
        images: Tensor = self.last(maps)
        return images

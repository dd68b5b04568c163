"""The smaller networks of the authors' release, of 4x4 convolutions where the size is halved, else 5x5.

With nf maps, in the notation of `ebgan.disentangle.big`:

    encoder        (nf)5c-(2nf)4c2s-(4nf)4c2s-(8nf)4c2s, two linear layers
    decoder        two linear layers, summed: (8nf)-(4nf)4c2s-(2nf)4c2s-(nf)4c2s-(C)5c
    discriminator  (nf)4c2s+id-(2nf)4c2s+id-(4nf)4c2s+id, linear
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ebgan.disentangle import interface
from ebgan.disentangle.ends import CodeLayers, FirstMaps
from ebgan.disentangle.interface import Codes, ImageShape, cropped, inner_side, padded
from ebgan.disentangle.layers import Conditioned, check_ids, convolution, rectified

KERNEL, HALVING = 5, 4


class SmallEncoder(interface.Encoder):
    """The encoder of the smaller networks.

    Args:
        image: the shape (C, H, H) of the images.
        width: nf, the maps of the first layer.
        style_size: the length of z.
        identity_size: the length of the identity's code s.

    Example:
        >>> import torch
        >>> codes = SmallEncoder((1, 8, 8), width=4, style_size=8, identity_size=6)(torch.zeros(2, 1, 8, 8))
        >>> codes.mean.shape, codes.identity.shape
        (torch.Size([2, 8]), torch.Size([2, 6]))
    """

    def __init__(self, image: ImageShape, *, width: int, style_size: int, identity_size: int) -> None:
        super().__init__()
        self.inner = inner_side(image)
        layers = [rectified(convolution(image[0], width, KERNEL), width)]
        maps = width
        for _ in range(interface.HALVINGS):
            layers.append(rectified(convolution(maps, 2 * maps, HALVING, 2), 2 * maps))
            maps *= 2
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.codes = CodeLayers(maps * self.inner**2, style_size, identity_size)

    def forward(self, images: Tensor) -> Codes:
        """The codes of the images.

        Args:
            images: (N, C, H, H) in [-1, 1].
        """
        return self.codes(self.layers(padded(images, self.inner)))


class SmallDecoder(interface.Decoder):
    """The decoder of the smaller networks.

    Args:
        image: the shape (C, H, H) of the images.
        width: nf, the maps of the last layer but one.
        style_size: the length of z.
        identity_size: the length of the identity's code s.
    """

    def __init__(self, image: ImageShape, *, width: int, style_size: int, identity_size: int) -> None:
        super().__init__()
        self.side = image[1]
        maps = width * 2**interface.HALVINGS
        self.first = FirstMaps(style_size, identity_size, maps, inner_side(image))
        layers: list[nn.Module] = []
        for _ in range(interface.HALVINGS):
            doubling = nn.ConvTranspose2d(maps, maps // 2, HALVING, 2, padding=1)
            layers.append(rectified(doubling, maps // 2))
            maps //= 2
        self.layers = nn.Sequential(*layers, convolution(maps, image[0], KERNEL))

    def forward(self, style: Tensor, identity: Tensor) -> Tensor:
        """The images (N, C, H, H) in [-1, 1].

        Args:
            style: z (N, `style_size`).
            identity: s (N, `identity_size`).
        """
        return cropped(self.layers(self.first(style, identity)), self.side).tanh()


class SmallDiscriminator(interface.Discriminator):
    """The discriminator of the smaller networks.

    Args:
        image: the shape (C, H, H) of the images.
        width: nf, the maps of the first layer.
        identities: how many values each factor of the identity has.
    """

    def __init__(self, image: ImageShape, *, width: int, identities: Sequence[int]) -> None:
        super().__init__()
        self.inner = inner_side(image)
        self.identities = tuple(identities)
        maps = [image[0], width, 2 * width, 4 * width]
        self.conditioned = nn.ModuleList(
            Conditioned(
                convolution(maps[place], maps[place + 1], HALVING, 2),
                maps[place + 1],
                identities,
                inner=self.inner,
                scale=4 >> place,
            )
            for place in range(interface.HALVINGS)
        )
        self.last = nn.Sequential(nn.Flatten(), nn.Linear(maps[-1] * self.inner**2, 1))

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """The logits (N,), positive for real images of their identity.

        Args:
            images: (N, C, H, H) in [-1, 1].
            ids: (N, K) int64, the number of the identity for each factor.
        """
        check_ids(ids, len(images), self.identities)
        maps = padded(images, self.inner)
        for layer in self.conditioned:
            maps = layer(maps, ids)
        logits: Tensor = self.last(maps)
        return logits.flatten()

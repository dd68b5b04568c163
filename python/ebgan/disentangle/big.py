"""The larger networks of the authors' release: 3x3 convolutions, each size halved by a 2x2 one.

With nf maps, in the notation of `ebgan.gan.convolutional`, "+id" where maps of the identity are added:

    encoder        (nf)3c-(nf)3c-(2nf)2c2s-(2nf)3c-(4nf)2c2s-(4nf)3c-(8nf)2c2s-(8nf)3c, two linear layers
    decoder        two linear layers, summed, (8nf)-(8nf)3c-(4nf)2c2s-(4nf)3c-(2nf)2c2s-(2nf)3c-(nf)2c2s,
                   (nf)3c-(C)3c, tanh
    discriminator  (nf)3c-(nf)2c2s+id-(2nf)2c2s-(2nf)3c+id-(4nf)2c2s-(4nf)3c+id-(4nf)3c, dropout, linear
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from ebgan.disentangle import interface
from ebgan.disentangle.ends import CodeLayers, FirstMaps
from ebgan.disentangle.interface import Codes, ImageShape, cropped, inner_side, padded
from ebgan.disentangle.layers import LEAK, Conditioned, check_ids, convolution, leaky, rectified

DROPOUT = 0.5


class BigEncoder(interface.Encoder):
    """The encoder of the larger networks.

    Args:
        image: the shape (C, H, H) of the images.
        width: nf, the maps of the first layer.
        style_size: the length of z.
        identity_size: the length of the identity's code s.

    Example:
        >>> import torch
        >>> codes = BigEncoder((1, 28, 28), width=4, style_size=8, identity_size=6)(torch.zeros(2, 1, 28, 28))
        >>> codes.mean.shape, codes.identity.shape
        (torch.Size([2, 8]), torch.Size([2, 6]))
    """

    def __init__(self, image: ImageShape, *, width: int, style_size: int, identity_size: int) -> None:
        super().__init__()
        self.inner = inner_side(image)
        layers = [rectified(convolution(image[0], width, 3), width)]
        maps = width
        for _ in range(interface.HALVINGS):
            layers += [
                rectified(convolution(maps, maps, 3), maps),
                rectified(convolution(maps, 2 * maps, 2, 2), 2 * maps),
            ]
            maps *= 2
        self.layers = nn.Sequential(*layers, rectified(convolution(maps, maps, 3), maps), nn.Flatten())
        self.codes = CodeLayers(maps * self.inner**2, style_size, identity_size)

    def forward(self, images: Tensor) -> Codes:
        """The codes of the images.

        Args:
            images: (N, C, H, H) in [-1, 1].
        """
        return self.codes(self.layers(padded(images, self.inner)))


class BigDecoder(interface.Decoder):
    """The decoder of the larger networks.

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
        layers = [rectified(convolution(maps, maps, 3), maps)]
        for _ in range(interface.HALVINGS):
            layers += [
                rectified(nn.ConvTranspose2d(maps, maps // 2, 2, 2), maps // 2),
                rectified(convolution(maps // 2, maps // 2, 3), maps // 2),
            ]
            maps //= 2
        self.layers = nn.Sequential(*layers, convolution(maps, image[0], 3))

    def forward(self, style: Tensor, identity: Tensor) -> Tensor:
        """The images (N, C, H, H) in [-1, 1].

        Args:
            style: z (N, `style_size`).
            identity: s (N, `identity_size`).
        """
        return cropped(self.layers(self.first(style, identity)), self.side).tanh()


class BigDiscriminator(interface.Discriminator):
    """The discriminator of the larger networks.

    Args:
        image: the shape (C, H, H) of the images.
        width: nf, the maps of the first layer.
        identities: how many values each factor of the identity has.
    """

    def __init__(self, image: ImageShape, *, width: int, identities: Sequence[int]) -> None:
        super().__init__()
        self.inner = inner = inner_side(image)
        self.identities = tuple(identities)
        nf = width
        self.first = nn.Sequential(convolution(image[0], nf, 3), nn.LeakyReLU(LEAK))
        self.conditioned = nn.ModuleList(
            (
                Conditioned(convolution(nf, nf, 2, 2), nf, identities, inner=inner, scale=4),
                Conditioned(
                    nn.Sequential(
                        leaky(convolution(nf, 2 * nf, 2, 2), 2 * nf),
                        leaky(convolution(2 * nf, 2 * nf, 3), 2 * nf),
                    ),
                    2 * nf,
                    identities,
                    inner=inner,
                    scale=2,
                ),
                Conditioned(
                    nn.Sequential(
                        leaky(convolution(2 * nf, 4 * nf, 2, 2), 4 * nf), convolution(4 * nf, 4 * nf, 3)
                    ),
                    4 * nf,
                    identities,
                    inner=inner,
                    scale=1,
                ),
            )
        )
        self.last = nn.Sequential(
            leaky(convolution(4 * nf, 4 * nf, 3), 4 * nf),
            nn.Flatten(),
            nn.Dropout(DROPOUT),
            nn.Linear(4 * nf * inner**2, 1),
        )

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """The logits (N,), positive for real images of their identity.

        Args:
            images: (N, C, H, H) in [-1, 1].
            ids: (N, K) int64, the number of the identity for each factor.
        """
        check_ids(ids, len(images), self.identities)
        maps: Tensor = self.first(padded(images, self.inner))
        for layer in self.conditioned:
            maps = layer(maps, ids)
        logits: Tensor = self.last(maps)
        return logits.flatten()

"""Networks by name, as `encoder("small", (1, 28, 28), style_size=16, identity_size=16)`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ebgan.disentangle.big import BigDecoder, BigDiscriminator, BigEncoder
from ebgan.disentangle.energy import EnergyDiscriminator
from ebgan.disentangle.interface import Decoder, Discriminator, Encoder, ImageShape
from ebgan.disentangle.small import SmallDecoder, SmallDiscriminator, SmallEncoder
from ebgan.errors import at_least, one_of

WIDTH = 16
ENERGY_CODE = 8  # numbers that an energy's auto-encoder has beside the identity: few, so that it needs that


@dataclass(frozen=True)
class Nets:
    """The networks of one size, and what they are in a few words."""

    about: str
    encoder: Callable[..., Encoder]
    decoder: Callable[..., Decoder]
    discriminator: Callable[..., Discriminator]


NETS: dict[str, Nets] = {
    "small": Nets(
        "four convolutions in encoder and decoder, three in the discriminator",
        SmallEncoder,
        SmallDecoder,
        SmallDiscriminator,
    ),
    "big": Nets(
        "eight convolutions in encoder and decoder, seven in the discriminator",
        BigEncoder,
        BigDecoder,
        BigDiscriminator,
    ),
}


def encoder(
    net: str, image: ImageShape, *, width: int = WIDTH, style_size: int, identity_size: int
) -> Encoder:
    """The encoder called `net` of images (C, H, H): `net(images)` gives `Codes(mean, log_std, identity)`."""
    _check(net, width=width, style_size=style_size, identity_size=identity_size)
    return NETS[net].encoder(image, width=width, style_size=style_size, identity_size=identity_size)


def decoder(
    net: str, image: ImageShape, *, width: int = WIDTH, style_size: int, identity_size: int
) -> Decoder:
    """The decoder called `net` of images (C, H, H): `net(style, identity)` gives images in [-1, 1].

    Example:
        >>> import torch
        >>> net = decoder("big", (3, 32, 32), style_size=8, identity_size=4)
        >>> net(torch.zeros(2, 8), torch.zeros(2, 4)).shape
        torch.Size([2, 3, 32, 32])
    """
    _check(net, width=width, style_size=style_size, identity_size=identity_size)
    return NETS[net].decoder(image, width=width, style_size=style_size, identity_size=identity_size)


def discriminator(
    net: str, image: ImageShape, *, width: int = WIDTH, identities: Sequence[int]
) -> Discriminator:
    """The discriminator called `net` of images (C, H, H): `net(images, ids)` gives logits (N,).

    `identities` has the number of values of each factor of the identity.

    Example:
        >>> import torch
        >>> net = discriminator("small", (1, 8, 8), identities=(10,))
        >>> net(torch.zeros(2, 1, 8, 8), torch.tensor([[3], [9]])).shape
        torch.Size([2])
    """
    _check(net, width=width)
    return NETS[net].discriminator(image, width=width, identities=identities)


def energy_discriminator(
    net: str, image: ImageShape, *, width: int = WIDTH, identities: Sequence[int], identity_size: int
) -> EnergyDiscriminator:
    """An auto-encoder of the encoder and decoder called `net`: `net(images, ids)` gives reconstructions."""
    sizes = {"style_size": ENERGY_CODE, "identity_size": identity_size}
    return EnergyDiscriminator(
        encoder(net, image, width=width, **sizes),
        decoder(net, image, width=width, **sizes),
        identities=identities,
        identity_size=identity_size,
    )


def _check(net: str, **sizes: int) -> None:
    one_of("net", net, NETS)
    for name, size in sizes.items():
        at_least(name, size, 1)

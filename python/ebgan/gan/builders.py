"""Networks by name: `generator("mnist")`, `discriminator("mnist", layers=3, dropout=True)`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from ebgan.errors import UserError, one_of
from ebgan.gan.fully_connected import FullyConnectedDiscriminator, FullyConnectedGenerator, ImageShape
from ebgan.gan.interface import Generator

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Pair:
    """A generator and a discriminator for images of one shape (C, H, W), and the options behind the name."""

    image: ImageShape
    generator: Callable[..., Generator]
    discriminator: Callable[..., nn.Module]
    generator_options: Mapping[str, Any]
    discriminator_options: Mapping[str, Any]


NETS: dict[str, Pair] = {
    "digits": Pair(
        image=(1, 8, 8),
        generator=FullyConnectedGenerator,
        discriminator=FullyConnectedDiscriminator,
        generator_options={"noise_size": 32, "layers": 4, "width": 256},
        discriminator_options={"layers": 2, "width": 128},
    ),
    # The best EBGAN of the paper's grid: nLayerG 5, sizeG 800, nLayerD 2, sizeD 1024, no dropout. The paper
    # leaves the size of z open; 100 is the field's habit since DCGAN.
    "mnist": Pair(
        image=(1, 32, 32),
        generator=FullyConnectedGenerator,
        discriminator=FullyConnectedDiscriminator,
        generator_options={"noise_size": 100, "layers": 5, "width": 800},
        discriminator_options={"layers": 2, "width": 1024},
    ),
}


def _build(build: Callable[..., Net], image: ImageShape, options: Mapping[str, Any], name: str) -> Net:
    try:
        return build(image, **options)
    except TypeError as error:
        raise UserError(f"net {name!r}: {error}") from None


def image_shape(name: str) -> ImageShape:
    """The shape (C, H, W) of the images of the nets called `name`."""
    one_of("net", name, NETS)
    return NETS[name].image


def generator(name: str, **options: Any) -> Generator:
    """The generator called `name`; `options` replace the named ones (`layers`, `width`, `noise_size`).

    `net.noise(n)` draws the arguments of `net(*noise)`, which gives images (n, C, H, W) in [-1, 1].
    """
    one_of("net", name, NETS)
    pair = NETS[name]
    return _build(pair.generator, pair.image, {**pair.generator_options, **options}, name)


def discriminator(name: str, **options: Any) -> nn.Module:
    """The auto-encoder called `name`; `options` replace the named ones (`layers`, `width`, `dropout`).

    `net(images)` gives `AutoEncoded(reconstruction, codes)`.
    """
    one_of("net", name, NETS)
    pair = NETS[name]
    return _build(pair.discriminator, pair.image, {**pair.discriminator_options, **options}, name)

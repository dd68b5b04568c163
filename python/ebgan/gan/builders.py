"""Networks by name: `generator("mnist")`, `discriminator("mnist", layers=3)`, `classifier("celeba-64")`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import nn

from ebgan.errors import UserError, one_of
from ebgan.gan.convolutional import (
    ConvolutionalClassifier,
    ConvolutionalDiscriminator,
    ConvolutionalGenerator,
)
from ebgan.gan.fully_connected import (
    FullyConnectedClassifier,
    FullyConnectedDiscriminator,
    FullyConnectedGenerator,
)
from ebgan.gan.interface import Classifier, Discriminator, Generator, ImageShape
from ebgan.gan.noise_planes import NoisePlaneGenerator

Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Nets:
    """The networks of a `kind` for images of one shape (C, H, W), and the options behind their name.

    `discriminator` is the auto-encoder of EBGAN, `classifier` the discriminator of the plain GAN; both take
    the same options.
    """

    kind: str
    image: ImageShape
    generator: Callable[..., Generator]
    discriminator: Callable[..., Discriminator]
    classifier: Callable[..., Classifier]
    generator_options: Mapping[str, Any]
    discriminator_options: Mapping[str, Any]


def _aligned(image: ImageShape) -> Nets:
    """Every pixel of the auto-encoder depends on the whole image, which aligned pictures want."""
    return Nets(
        kind="fully connected",
        image=image,
        generator=FullyConnectedGenerator,
        discriminator=FullyConnectedDiscriminator,
        classifier=FullyConnectedClassifier,
        generator_options={"noise_size": 100, "layers": 5, "width": 512},
        discriminator_options={"layers": 2, "width": 512},
    )


def _imagenet(side: int, *, width: int) -> Nets:
    return Nets(
        kind="convolutional, noise at every layer",
        image=(3, side, side),
        generator=NoisePlaneGenerator,
        discriminator=ConvolutionalDiscriminator,
        classifier=ConvolutionalClassifier,
        generator_options={"noise_size": 100, "width": width},
        discriminator_options={"width": 64},
    )


NETS: dict[str, Nets] = {
    "digits": Nets(
        kind="fully connected",
        image=(1, 8, 8),
        generator=FullyConnectedGenerator,
        discriminator=FullyConnectedDiscriminator,
        classifier=FullyConnectedClassifier,
        generator_options={"noise_size": 32, "layers": 4, "width": 256},
        discriminator_options={"layers": 2, "width": 128},
    ),
    # The best EBGAN of the paper's grid: nLayerG 5, sizeG 800, nLayerD 2, sizeD 1024, no dropout. The paper
    # leaves the size of z open; 100 is the field's habit since DCGAN.
    "mnist": Nets(
        kind="fully connected, the best of the paper's grid",
        image=(1, 32, 32),
        generator=FullyConnectedGenerator,
        discriminator=FullyConnectedDiscriminator,
        classifier=FullyConnectedClassifier,
        generator_options={"noise_size": 100, "layers": 5, "width": 800},
        discriminator_options={"layers": 2, "width": 1024},
    ),
    "sprites": _aligned((3, 64, 64)),
    "yale-b": _aligned((1, 64, 64)),
    "celeba-64": Nets(
        kind="convolutional",
        image=(3, 64, 64),
        generator=ConvolutionalGenerator,
        discriminator=ConvolutionalDiscriminator,
        classifier=ConvolutionalClassifier,
        generator_options={"noise_size": 100, "width": 1024},
        discriminator_options={"width": 64},
    ),
    "imagenet-128": _imagenet(128, width=1024),
    "imagenet-256": _imagenet(256, width=2048),
}


def _build(
    build: Callable[..., Net], role: str, image: ImageShape, options: Mapping[str, Any], name: str
) -> Net:
    taken = [option for option in inspect.signature(build).parameters if option != "image"]
    for option in options.keys() - taken:
        raise UserError(
            f"{role} {option}: the {role} of net {name!r} has no such option, only {', '.join(taken)}"
        )
    return build(image, **options)


def image_shape(name: str) -> ImageShape:
    """The shape (C, H, W) of the images of the nets called `name`."""
    one_of("net", name, NETS)
    return NETS[name].image


def generator(name: str, **options: Any) -> Generator:
    """The generator called `name`; `options` replace the named ones (`layers`, `width`, `noise_size`).

    `net.noise(n)` draws the arguments of `net(*noise)`, which gives images (n, C, H, W) in [-1, 1].
    """
    one_of("net", name, NETS)
    nets = NETS[name]
    return _build(nets.generator, "generator", nets.image, {**nets.generator_options, **options}, name)


def discriminator(name: str, **options: Any) -> Discriminator:
    """The auto-encoder called `name`; `options` replace the named ones (`layers`, `width`, `dropout`).

    `net(images)` gives `AutoEncoded(reconstruction, codes)`.
    """
    one_of("net", name, NETS)
    nets = NETS[name]
    return _build(
        nets.discriminator, "discriminator", nets.image, {**nets.discriminator_options, **options}, name
    )


def classifier(name: str, **options: Any) -> Classifier:
    """The plain GAN's discriminator called `name`; it takes the options of `discriminator`.

    `net(images)` gives logits (N,), real being positive.
    """
    one_of("net", name, NETS)
    nets = NETS[name]
    return _build(
        nets.classifier, "discriminator", nets.image, {**nets.discriminator_options, **options}, name
    )

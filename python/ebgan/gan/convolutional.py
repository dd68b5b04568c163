"""The convolutional networks of the EBGAN paper (arXiv:1609.03126), for LSUN and CelebA, and for ImageNet.

In the paper's notation, where (64)4c2s is 64 maps from 4x4 kernels of stride 2, transposed in generator and
decoder:

    64x64             generator  (1024)4c-(512)4c2s-(256)4c2s-(128)4c2s-(3)4c2s
                      encoder    (64)4c2s-(128)4c2s-(256)4c2s
                      decoder    (128)4c2s-(64)4c2s-(3)4c2s
    128x128, 256x256  encoder    (64)4c2s-(128)4c2s-(256)4c2s-(512)4c2s
                      decoder    (256)4c2s-(128)4c2s-(64)4c2s-(3)4c2s

`noise_planes` has the generators of ImageNet. Hidden layers are normalised by batch, then ReLU; the encoder's
first layer is not normalised. Weights start at N(0, 0.02) in the generator and N(0, 0.002) in the
discriminator, biases at 0.

Weights lie channels-last: a training step of half the width, batch 64, float32, with a mean of squares for
the energy, took 404 ms so and 581 ms otherwise (AMD EPYC, 2 threads, 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

import torch
from torch import Tensor, nn

from ebgan.errors import UserError, at_least
from ebgan.gan.interface import AutoEncoded, Classifier, Discriminator, Generator, ImageShape

SIDE = 64  # pixels of the generator's images
DEPTHS = {64: 3, 128: 4, 256: 4}  # layers of an encoder, by the side of its images
GENERATOR_STD, DISCRIMINATOR_STD = 0.02, 0.002


class ConvolutionalGenerator(Generator):
    """A generator that makes images (N, C, 64, 64) in [-1, 1] from noise (N, `noise_size`).

    Its first layer has `width` maps, each following one half as many.

    Args:
        image: the shape (C, 64, 64) of the images.
        noise_size: the length of the noise vector.
        width: the maps of the first layer, a multiple of 8.

    Example:
        >>> generator = ConvolutionalGenerator((3, 64, 64), width=64)
        >>> generator(*generator.noise(2)).shape
        torch.Size([2, 3, 64, 64])
    """

    def __init__(self, image: ImageShape, *, noise_size: int = 100, width: int = 1024) -> None:
        super().__init__()
        check_side(image, (SIDE,))
        at_least("noise_size", noise_size, 1)
        check_width("generator width", width, 8)
        self.noise_shapes = ((noise_size,),)
        widths = (width, width // 2, width // 4, width // 8)
        body = [
            nn.Unflatten(1, (noise_size, 1, 1)),
            nn.ConvTranspose2d(noise_size, width, 4),
            *hidden(width),
        ]
        for inputs, outputs in pairwise(widths):
            body += [doubling(inputs, outputs), *hidden(outputs)]
        self.layers = nn.Sequential(*body, doubling(widths[-1], image[0]), nn.Tanh())
        initialise(self, GENERATOR_STD)

    def forward(self, z: Tensor) -> Tensor:
        """The images (N, C, 64, 64).

        Args:
            z: noise (N, `noise_size`), as `noise` draws it.
        """
        images: Tensor = self.layers(z)
        return images


class ConvolutionalDiscriminator(Discriminator):
    """An auto-encoder of images (N, C, S, S), S being 64, 128 or 256.

    Its encoder has `width` maps, then twice as many with each layer: three layers for 64, otherwise four.

    Args:
        image: the shape (C, S, S) of the images.
        width: the maps of the encoder's first layer.

    Example:
        >>> discriminator = ConvolutionalDiscriminator((3, 64, 64), width=16)
        >>> reconstruction, codes = discriminator(torch.zeros(2, 3, 64, 64))
        >>> reconstruction.shape, codes.shape
        (torch.Size([2, 3, 64, 64]), torch.Size([2, 64, 8, 8]))
    """

    def __init__(self, image: ImageShape, *, width: int = 64) -> None:
        super().__init__()
        self.encoder, widths = _encoder(image, width)
        decoder: list[nn.Module] = []
        for inputs, outputs in pairwise(reversed(widths)):
            decoder += [doubling(inputs, outputs), *hidden(outputs)]
        self.decoder = nn.Sequential(*decoder, doubling(width, image[0]))
        initialise(self, DISCRIMINATOR_STD)

    def forward(self, images: Tensor) -> AutoEncoded:
        """The reconstruction (N, C, S, S) and the codes: (N, 4 `width`, 8, 8) for 64x64.

        Args:
            images: (N, C, S, S).
        """
        codes = self.encoder(images)
        return AutoEncoded(self.decoder(codes), codes)


class ConvolutionalClassifier(Classifier):
    """The discriminator of the plain GAN: it gives images (N, C, S, S) logits (N,), real being positive.

    It is the encoder of the auto-encoder, then one linear layer.

    Args:
        image: the shape (C, S, S) of the images, S being 64, 128 or 256.
        width: the maps of the first layer.

    Example:
        >>> ConvolutionalClassifier((3, 64, 64), width=16)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2])
    """

    def __init__(self, image: ImageShape, *, width: int = 64) -> None:
        super().__init__()
        encoder, widths = _encoder(image, width)
        codes = widths[-1] * (image[1] >> len(widths)) ** 2
        self.layers = nn.Sequential(encoder, nn.Flatten(), nn.Linear(codes, 1))
        initialise(self, GENERATOR_STD)

    def forward(self, images: Tensor) -> Tensor:
        """The logits (N,).

        Args:
            images: (N, C, S, S).
        """
        logits: Tensor = self.layers(images)
        return logits.squeeze(1)


def _encoder(image: ImageShape, width: int) -> tuple[nn.Sequential, list[int]]:
    """The encoder, and the maps of its layers."""
    check_side(image, DEPTHS)
    check_width("discriminator width", width, 1)
    widths = [width << depth for depth in range(DEPTHS[image[1]])]
    layers: list[nn.Module] = [_halving(image[0], width), nn.ReLU()]
    for inputs, outputs in pairwise(widths):
        layers += [_halving(inputs, outputs), *hidden(outputs)]
    return nn.Sequential(*layers), widths


def _halving(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 4, stride=2, padding=1)


def doubling(inputs: int, outputs: int) -> nn.ConvTranspose2d:
    """A layer that doubles height and width."""
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)


def hidden(maps: int) -> tuple[nn.Module, nn.Module]:
    """What follows a hidden layer of so many maps."""
    return nn.BatchNorm2d(maps), nn.ReLU()


def initialise(net: nn.Module, std: float) -> None:
    """Draw the weights from N(0, std), set biases to 0, and lay the weights channels-last."""
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]  # none of these layers is without one
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs


def check_side(image: ImageShape, sides: Collection[int]) -> None:
    """Raise `UserError` for images of another side than those."""
    if image[1] != image[2] or image[1] not in sides:
        allowed = " and ".join(f"{side}x{side}" for side in sides)
        raise UserError(f"image: got {image[1]}x{image[2]}, allowed is {allowed}")


def check_width(argument: str, width: int, multiple: int) -> None:
    """Raise `UserError` for a width that is no multiple of what the layers divide it by."""
    at_least(argument, width, multiple)
    if width % multiple:
        raise UserError(f"{argument}: got {width}, allowed are multiples of {multiple}")

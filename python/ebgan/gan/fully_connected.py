"""The fully connected networks of the EBGAN paper's MNIST grid (arXiv:1609.03126, section 4.1).

Images leave the generator through tanh, in [-1, 1]; hidden layers are normalised by batch. The paper's
`nLayerG`, `sizeG`, `nLayerD`, `sizeD` and `dropoutD` are here `layers`, `width` and `dropout`.
"""

from __future__ import annotations

import math

from torch import Tensor, nn

from ebgan.errors import at_least
from ebgan.gan.interface import AutoEncoded, Classifier, Discriminator, Generator, ImageShape

GENERATOR_STD, DISCRIMINATOR_STD = 0.02, 0.002


def _linear(inputs: int, outputs: int, std: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=std)
    nn.init.zeros_(layer.bias)
    return layer


class FullyConnectedGenerator(Generator):
    """A generator that makes images (N, *image) in [-1, 1] from noise (N, `noise_size`).

    It has `layers` weight layers, the hidden ones `width` wide. Hidden layers are linear, batch
    normalisation, ReLU; the last is linear, tanh. Weights start at N(0, 0.02), biases at 0.

    Args:
        image: the shape (C, H, W) of the images.
        noise_size: the length of the noise vector.
        layers: the number of weight layers, 2 or more.
        width: the width of the hidden layers.

    Example:
        >>> generator = FullyConnectedGenerator((1, 32, 32))
        >>> generator(*generator.noise(16)).shape
        torch.Size([16, 1, 32, 32])
    """

    def __init__(
        self, image: ImageShape, *, noise_size: int = 100, layers: int = 5, width: int = 800
    ) -> None:
        super().__init__()
        at_least("noise_size", noise_size, 1)
        at_least("generator layers", layers, 2)
        at_least("generator width", width, 1)
        self.noise_shapes = ((noise_size,),)
        body: list[nn.Module] = []
        inputs = noise_size
        for _ in range(layers - 1):
            body += [_linear(inputs, width, GENERATOR_STD), nn.BatchNorm1d(width), nn.ReLU()]
            inputs = width
        self.layers = nn.Sequential(
            *body, _linear(inputs, math.prod(image), GENERATOR_STD), nn.Tanh(), nn.Unflatten(1, image)
        )

    def forward(self, z: Tensor) -> Tensor:
        """The images (N, *image).

        Args:
            z: noise (N, `noise_size`), as `noise` draws it.
        """
        images: Tensor = self.layers(z)
        return images


class FullyConnectedDiscriminator(Discriminator):
    """An auto-encoder of images (N, *image) with `layers` weight layers, the last of which is the decoder.

    The encoder's layers are `width` wide: linear, batch normalisation, ReLU, and dropout of one half where
    asked for. The decoder is one linear layer. Weights start at N(0, 0.002), biases at 0.

    DCGAN's rule, read to the letter, would leave out the normalisation after the encoder's first layer and
    put one after the decoder. On MNIST, with the paper's settings, that collapsed to one image within 2,000
    steps, no normalisation at all left digits blurred on grey, and this reading gave sharp ones (2026-11-22).

    Args:
        image: the shape (C, H, W) of the images.
        layers: the number of weight layers, 2 or more.
        width: the width of the hidden layers.
        dropout: whether dropout of one half follows each hidden layer.

    Example:
        >>> import torch
        >>> discriminator = FullyConnectedDiscriminator((1, 32, 32))
        >>> reconstruction, codes = discriminator(torch.zeros(16, 1, 32, 32))
        >>> reconstruction.shape, codes.shape
        (torch.Size([16, 1, 32, 32]), torch.Size([16, 1024]))
    """

    def __init__(
        self, image: ImageShape, *, layers: int = 2, width: int = 1024, dropout: bool = False
    ) -> None:
        super().__init__()
        at_least("discriminator layers", layers, 2)
        at_least("discriminator width", width, 1)
        pixels = math.prod(image)
        self.encoder = nn.Sequential(nn.Flatten(), *_hidden(pixels, layers - 1, width, dropout))
        self.decoder = nn.Sequential(_linear(width, pixels, DISCRIMINATOR_STD), nn.Unflatten(1, image))

    def forward(self, images: Tensor) -> AutoEncoded:
        """The reconstruction (N, *image) and the codes (N, `width`).

        Args:
            images: (N, *image).
        """
        codes = self.encoder(images)
        return AutoEncoded(self.decoder(codes), codes)


class FullyConnectedClassifier(Classifier):
    """The discriminator of the plain GAN: it gives images (N, *image) logits (N,), real being positive.

    It has `layers` weight layers, the hidden ones as those of the auto-encoder. The first layer is not
    normalised, as DCGAN's rule has it: real and generated images come in batches of their own, and
    normalising would take away whatever is the same in all images of a batch. With it the black border around
    MNIST stayed white noise for 10,000 steps (2026-11-22).

    Args:
        image: the shape (C, H, W) of the images.
        layers: the number of weight layers, 2 or more.
        width: the width of the hidden layers.
        dropout: whether dropout of one half follows each hidden layer.

    Example:
        >>> import torch
        >>> FullyConnectedClassifier((1, 32, 32))(torch.zeros(16, 1, 32, 32)).shape
        torch.Size([16])
    """

    def __init__(
        self, image: ImageShape, *, layers: int = 2, width: int = 1024, dropout: bool = False
    ) -> None:
        super().__init__()
        at_least("discriminator layers", layers, 2)
        at_least("discriminator width", width, 1)
        first, _, *hidden = _hidden(math.prod(image), layers - 1, width, dropout)
        self.layers = nn.Sequential(nn.Flatten(), first, *hidden, _linear(width, 1, DISCRIMINATOR_STD))

    def forward(self, images: Tensor) -> Tensor:
        """The logits (N,).

        Args:
            images: (N, *image).
        """
        logits: Tensor = self.layers(images)
        return logits.squeeze(1)


def _hidden(inputs: int, layers: int, width: int, dropout: bool) -> list[nn.Module]:
    """The modules of hidden layers: linear, batch normalisation, ReLU, and dropout where asked for."""
    modules: list[nn.Module] = []
    for _ in range(layers):
        modules += [_linear(inputs, width, DISCRIMINATOR_STD), nn.BatchNorm1d(width), nn.ReLU()]
        modules += [nn.Dropout(0.5)] if dropout else []
        inputs = width
    return modules

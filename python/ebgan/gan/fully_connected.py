"""The fully connected networks of the EBGAN paper's MNIST grid (arXiv:1609.03126, section 4.1).

Both follow DCGAN's rule: batch normalisation after every weight layer except the generator's output and the
discriminator's input. The paper's `nLayerG`, `sizeG`, `nLayerD`, `sizeD` and `dropoutD` are `layers`, `width` and `dropout`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Generator, Tensor, device, nn, randn

from ebgan.errors import at_least

ImageShape = tuple[int, int, int]


class AutoEncoded(NamedTuple):
    """What an auto-encoder discriminator returns: `reconstruction` (N, C, H, W) and the encoder's `codes` (N, ...)."""

    reconstruction: Tensor
    codes: Tensor


def _linear(inputs: int, outputs: int, std: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=std)
    nn.init.zeros_(layer.bias)
    return layer


class FullyConnectedGenerator(nn.Module):
    """Noise (N, `noise_size`) to images (N, *image) in [-1, 1]: `layers` weight layers, the hidden ones `width` wide.

    Hidden layers are linear, batch normalisation, ReLU; the last is linear, tanh. Weights start at N(0, 0.02), biases at 0.

    Example:
        >>> generator = FullyConnectedGenerator((1, 32, 32))
        >>> generator(*generator.noise(16)).shape
        torch.Size([16, 1, 32, 32])
    """

    def __init__(self, image: ImageShape, *, noise_size: int = 100, layers: int = 5, width: int = 800) -> None:
        super().__init__()
        at_least("noise_size", noise_size, 1)
        at_least("generator layers", layers, 2)
        at_least("generator width", width, 1)
        self.noise_size = noise_size
        body: list[nn.Module] = []
        inputs = noise_size
        for _ in range(layers - 1):
            body += [_linear(inputs, width, 0.02), nn.BatchNorm1d(width), nn.ReLU()]
            inputs = width
        self.layers = nn.Sequential(
            *body, _linear(inputs, math.prod(image), 0.02), nn.Tanh(), nn.Unflatten(1, image)
        )

    def noise(
        self, count: int, *, device: device | str | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, ...]:
        """The arguments of `forward` for `count` images, drawn from N(0, 1); a tuple, for nets that take noise at many layers."""
        return (randn(count, self.noise_size, device=device, generator=generator),)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class FullyConnectedDiscriminator(nn.Module):
    """Auto-encoder of images (N, *image): `layers` weight layers, of which the decoder is the last one.

    The encoder's layers are `width` wide: linear, batch normalisation (except the first layer), ReLU, and dropout of one half
    where asked for. The decoder is one linear layer; unlike the images, its output is not squashed, and DCGAN's rule would
    normalise it too: measured on MNIST, that TODO_MEASURE. Weights start at N(0, 0.002), biases at 0.

    Example:
        >>> discriminator = FullyConnectedDiscriminator((1, 32, 32))
        >>> reconstruction, codes = discriminator(images)  # images (N, 1, 32, 32) -> codes (N, 1024)
        >>> ebgan_kernels.reconstruction_energy(reconstruction, images)  # (N,)
    """

    def __init__(
        self, image: ImageShape, *, layers: int = 2, width: int = 1024, dropout: bool = False
    ) -> None:
        super().__init__()
        at_least("discriminator layers", layers, 2)
        at_least("discriminator width", width, 1)
        pixels = math.prod(image)
        body: list[nn.Module] = []
        inputs = pixels
        for index in range(layers - 1):
            body += [_linear(inputs, width, 0.002)]
            body += [nn.BatchNorm1d(width)] if index else []
            body += [nn.ReLU()] + ([nn.Dropout(0.5)] if dropout else [])
            inputs = width
        self.encoder = nn.Sequential(nn.Flatten(), *body)
        self.decoder = nn.Sequential(_linear(inputs, pixels, 0.002), nn.Unflatten(1, image))

    def forward(self, images: Tensor) -> AutoEncoded:
        codes = self.encoder(images)
        return AutoEncoded(self.decoder(codes), codes)

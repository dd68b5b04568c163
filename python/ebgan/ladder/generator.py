"""The generator of an EBGAN with a ladder network: a perceptron, for several networks at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from ebgan.errors import at_least
from ebgan.gan.interface import Generator, ImageShape
from ebgan.ladder.layers import dense, draw
from ebgan.ladder.pictures import to_images
from ebgan_kernels.ops.module import Module

OUTPUT_STD = 0.02  # N(0, 0.02) in all of the paper's generators; what is normalised has no scale of its own
COMPANIONS = 1000


class LadderGenerator(Module):
    """Generators that make examples (S, N, `sizes[-1]`) in [0, 1] from codes (S, N, `sizes[0]`).

    Hidden layers are linear, batch normalisation with beta and gamma, ReLU; the last is linear, sigmoid.
    Batch normalisation always uses the statistics of the batch. The first weights are drawn by `initialise`.

    Args:
        sizes: the units of each layer, from the codes to the examples.
        networks: S, the number of generators.

    Example:
        >>> from ebgan.ladder import initialise
        >>> generator = LadderGenerator((100, 500, 784), networks=2)
        >>> initialise((0, 1), generator)
        >>> generator(torch.randn(2, 16, 100)).shape
        torch.Size([2, 16, 784])
    """

    def __init__(self, sizes: Sequence[int], *, networks: int = 1) -> None:
        super().__init__()
        for size in sizes:
            at_least("generator layer size", size, 1)
        self.sizes, self.networks = tuple(sizes), networks
        self.weights = nn.ParameterList(torch.empty(networks, *each) for each in pairwise(sizes))
        self.biases = nn.ParameterList(torch.zeros(networks, 1, size) for size in sizes[1:])
        self.gains = nn.ParameterList(torch.ones(networks, 1, size) for size in sizes[1:-1])

    def initialise(self, network: int) -> None:
        """Draw the weights of one network."""
        for weight in self.weights:
            draw(weight, network, OUTPUT_STD)

    def forward(self, codes: Tensor) -> Tensor:
        """The examples (S, N, `sizes[-1]`).

        Args:
            codes: (S, N, `sizes[0]`).
        """
        h = codes
        for weight, bias, gain in zip(self.weights, self.biases, self.gains, strict=False):
            h = (gain * ek.ladder_layer(dense(h, weight)).z + bias).relu()
        return (dense(h, self.weights[-1]) + self.biases[-1]).sigmoid()


class ImageGenerator(LadderGenerator, Generator):
    """Trained generators, the first of which draws images (N, C, H, W) in [-1, 1] from codes z.

    In training a batch is normalised by its own statistics. Here it is by those of `COMPANIONS` fixed codes,
    so that an image is decided by its own code.

    Args:
        sizes: units from the codes up to the examples.
        image: (C, H, W) of the images; C H W is the last of the sizes.
        networks: the number S of generators, of which a run trains one for each seed.
    """

    companions: Tensor

    def __init__(self, sizes: Sequence[int], image: ImageShape, *, networks: int = 1) -> None:
        super().__init__(sizes, networks=networks)
        self.image, self.noise_shapes = image, ((sizes[0],),)
        companions = torch.randn(COMPANIONS, sizes[0], generator=torch.Generator().manual_seed(0))
        self.register_buffer("companions", companions, persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """The images (N, C, H, W) of codes.

        Args:
            z: codes (N, `sizes[0]`).
        """
        h = torch.cat((self.companions, z))
        for weight, bias, gain in zip(self.weights, self.biases, self.gains, strict=False):
            h = h @ weight[0]
            _, _, mean, std = ek.ladder_layer(h[None, :COMPANIONS])
            h = (gain[0] * ((h - mean) / std) + bias[0]).relu()
        return to_images((h[COMPANIONS:] @ self.weights[-1][0] + self.biases[-1][0]).sigmoid(), self.image)

"""The layers of ladder networks, for several networks at once: the first axis counts the networks.

Samples are (S, N, D), or (S, P, N, D) where P parts of a batch are normalised each by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from ebgan.training import seed_step

EPSILON = 1e-10  # under the square root of a standard deviation, as in `ebgan_kernels.ladder_layer`


def dense(x: Tensor, weight: Tensor) -> Tensor:
    """The product of x (S, ..., I) and weight (S, I, O), in the weight's dtype whatever its precision."""
    product = torch.bmm(x.flatten(1, -2), weight).to(weight.dtype)
    return product.view(*x.shape[:-1], weight.shape[-1])


class Initialised(Protocol):
    """A module of several networks, each of which draws its own first weights."""

    def initialise(self, network: int) -> None: ...


def initialise(seeds: Sequence[int], *modules: Initialised) -> None:
    """Draw the first weights of network s of all `modules` from torch's random numbers, seeded by `seeds[s]`.

    So a network starts the same beside others as alone.
    """
    for network, seed in enumerate(seeds):
        seed_step(seed, 0)
        for module in modules:
            module.initialise(network)


def draw(weight: Tensor, network: int, std: float | None = None) -> None:
    """Draw `weight[network]` from N(0, std^2), by default with std = 1 / sqrt(inputs)."""
    with torch.no_grad():
        weight[network].normal_(0, 1 / math.sqrt(weight.shape[-2]) if std is None else std)


class EncoderLayer(nn.Module):
    """One layer of `networks` encoders: a linear map without bias, which the caller computes, normalisation,
    noise, and then beta, at the top gamma, and below the top ReLU.

    `mean` and `variance` are those of all training data, which classify new data; see `set_statistics`.

    Args:
        networks: S, the number of networks.
        inputs: the units of the layer below.
        outputs: the units of this layer.
        top: whether it is the last layer.
    """

    mean: Tensor
    variance: Tensor

    def __init__(self, networks: int, inputs: int, outputs: int, *, top: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(networks, inputs, outputs))
        self.beta = nn.Parameter(torch.zeros(networks, 1, outputs))
        self.gamma = nn.Parameter(torch.ones(networks, 1, outputs)) if top else None
        self.register_buffer("mean", torch.zeros(networks, 1, outputs))
        self.register_buffer("variance", torch.ones(networks, 1, outputs))

    def normalised(self, x: Tensor, noise: Tensor | None = None) -> ek.LadderLayer:
        """The layer of the map's results x (S, P, N, D), whose parts are normalised apart, plus `noise`."""
        gamma = None if self.gamma is None else self.gamma.squeeze(1)
        return ek.ladder_layer(
            x, noise, self.beta.squeeze(1), gamma, activation="relu" if gamma is None else "none"
        )

    def classified(self, x: Tensor) -> Tensor:
        """The layer of the map's results x (S, N, D), normalised by the statistics of all training data."""
        h = (x - self.mean) / (self.variance + EPSILON).sqrt() + self.beta
        return h.relu() if self.gamma is None else self.gamma * h

"""Energies that gradient descent learns: networks, and the loop that all of them share."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ebgan.energies.learner import Learner
from ebgan.energies.points import Points
from ebgan.errors import UserError, at_least, positive
from ebgan.training.seeds import seed_step
from ebgan_kernels.ops.module import Module

CHUNK = 4096  # points whose energy is computed at once


class EnergyNetwork(Module):
    """E(y) = f(y) + ||y||^2, f a network of three layers; (N, 2) to (N,).

    The square lets the energy rise where there is neither data nor anything that pushes up.

    Args:
        width: units in each hidden layer.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        first = nn.Linear(2, width)
        nn.init.normal_(first.weight, std=3.0)  # bends of the size of the data, not of the box
        self.layers = nn.Sequential(
            first,
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, 1),
        )

    def forward(self, points: Tensor) -> Tensor:
        """The energies (N,) of points.

        Args:
            points: (N, 2).
        """
        return self.layers(points)[:, 0] + (points**2).sum(1)


class Descended(Learner):
    """A learner whose `loss` of a batch Adam brings down for `steps` steps, its `rate` falling to 0.

    `network` is a module of your own to train, an energy (N, 2) to (N,) or, where the energy is that of an
    auto-encoder, a reconstruction (N, 2) to (N, 2); by default each `fit` makes one. Everything random comes
    from `seed`, through a generator of the learner's own.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        steps: int = 2000,
        rate: float = 2e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        at_least("steps", steps, 1)
        positive("rate", rate)
        at_least("batch_size", batch_size, 2)
        at_least("seed", seed, 0)
        self.steps, self.rate, self.batch_size, self.seed = steps, rate, batch_size, seed
        self.given = network

    @abstractmethod
    def loss(self, batch: Tensor) -> Tensor:
        """The loss of a `batch` (B, 2) of data, 0-d."""

    def _network(self) -> nn.Module:
        return EnergyNetwork()

    def _begin(self, data: Tensor) -> None:
        """Prepare for learning from `data` (N, 2); `self.random` is seeded."""

    def _parameters(self) -> Iterable[nn.Parameter]:
        return self.network.parameters()

    def _learn(self, points: Points) -> Iterator[None]:
        data = torch.as_tensor(points, dtype=torch.float32)
        self.random = torch.Generator().manual_seed(self.seed)
        with torch.random.fork_rng(devices=[]):
            seed_step(self.seed, 0)
            self.network = self._network() if self.given is None else self.given
        self._begin(data)
        optimizer = torch.optim.Adam(self._parameters(), lr=self.rate, fused=True)
        for step in range(self.steps):
            optimizer.param_groups[0]["lr"] = self.rate * math.cos(step / self.steps * math.pi / 2) ** 2
            loss = self.loss(data[self._chosen(len(data))])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            yield
        if not math.isfinite(value := loss.item()):
            raise UserError(f"rate: with {self.rate:g} the loss came to {value}; choose a smaller one")

    def _chosen(self, count: int) -> Tensor:
        return torch.randint(count, (self.batch_size,), generator=self.random)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random)

    def _energies(self, points: Tensor) -> Tensor:
        """E of `points` (N, 2): (N,), with gradients."""
        energies = self.network(points)
        if energies.shape != points.shape[:1]:
            raise UserError(
                f"network: it gives shape {tuple(energies.shape)} for points of shape {tuple(points.shape)}, "
                f"allowed is ({len(points)},), an energy a point"
            )
        return energies

    def _energy(self, points: Points) -> NDArray[np.float64]:
        with torch.no_grad():
            parts = torch.as_tensor(points, dtype=torch.float32).split(CHUNK)
            return torch.cat([self._energies(part) for part in parts]).double().numpy()

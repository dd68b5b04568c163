"""Strategy 4: a small slope and a large curvature of the energy at the data."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ebgan.energies.descent import Descended
from ebgan.errors import positive


class ScoreMatching(Descended):
    """Exact score matching: mean of ||dE/dy||^2 / 2 - trace of d^2E/dy^2, at data with a little noise.

    The noise, of standard deviation `noise`, gives points on a curve a density at all: without it the
    curvature, and the loss, would have no bound.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        noise: float = 0.1,
        steps: int = 600,
        rate: float = 4e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("noise", noise)
        self.noise = noise

    def loss(self, batch: Tensor) -> Tensor:
        points = (batch + self.noise * self._normal(*batch.shape)).requires_grad_()
        (slope,) = torch.autograd.grad(self._energies(points).sum(), points, create_graph=True)
        trace = sum(
            torch.autograd.grad(slope[:, axis].sum(), points, create_graph=True)[0][:, axis]
            for axis in (0, 1)
        )
        return ((slope**2).sum(1) / 2 - trace).mean()


class DenoisingScoreMatching(Descended):
    """Denoising score matching: mean of ||dE/dy - (y - x) / noise^2||^2 noise^2 / 2, y = x + noise n.

    The slope learns to point away from the data x that y was made of; no second derivative is taken. Its
    minimum is the -log density of the data under that noise, as it is of `ScoreMatching`.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        noise: float = 0.1,
        steps: int = 1000,
        rate: float = 2e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("noise", noise)
        self.noise = noise

    def loss(self, batch: Tensor) -> Tensor:
        moved = self._normal(*batch.shape)
        points = (batch + self.noise * moved).requires_grad_()
        (slope,) = torch.autograd.grad(self._energies(points).sum(), points, create_graph=True)
        return ((self.noise * slope - moved) ** 2).sum(1).mean() / 2

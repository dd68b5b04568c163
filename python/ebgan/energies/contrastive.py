"""Strategy 3: push down on the data and up at chosen points, which are samples of the energy or of noise."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ebgan.energies.descent import Descended
from ebgan.energies.points import BOX, require_in_box
from ebgan.errors import at_least, positive, share

KEPT_SMALL = 0.01  # weight of the squared energies, without which their common level wanders off


class ContrastiveDivergence(Descended):
    """CD-k: mean E(data) - mean E(samples), the samples after `chain` Langevin steps that start at the data.

    A step is y - `step_size` dE/dy + sqrt(2 `step_size`) n, n a normal deviate, held in the box. With
    `persistent` (PCD) the `chains` go on from where an update left them, and a share `restarts` of those
    that an update takes begins anew in the box. The data have noise of standard deviation `noise`: around a
    bare curve the energy would grow too steep for steps of any size.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        chain: int = 10,
        step_size: float = 1e-3,
        noise: float = 0.05,
        persistent: bool = False,
        restarts: float = 0.05,
        chains: int = 2048,
        box: float = BOX,
        steps: int = 600,
        rate: float = 4e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        at_least("chain", chain, 1)
        positive("step_size", step_size)
        at_least("noise", noise, 0)
        share("restarts", restarts)
        at_least("chains", chains, batch_size)
        positive("box", box)
        self.chain, self.step_size, self.noise, self.persistent = chain, step_size, noise, persistent
        self.restarts, self.chains, self.box = restarts, chains, box

    def _begin(self, data: Tensor) -> None:
        require_in_box(data.numpy(), self.box)
        self.states = self._uniform(self.chains)

    def langevin(self, start: Tensor) -> Tensor:
        """`chain` Langevin steps from `start` (N, 2)."""
        points = start.detach()
        for moved in math.sqrt(2 * self.step_size) * self._normal(self.chain, *start.shape):
            points.requires_grad_()
            (slope,) = torch.autograd.grad(self._energies(points).sum(), points)
            points = points.detach().add(slope, alpha=-self.step_size).add_(moved)
            points.clamp_(-self.box, self.box)
        return points

    def loss(self, batch: Tensor) -> Tensor:
        batch = (batch + self.noise * self._normal(*batch.shape)).clamp(-self.box, self.box)
        low, high = self._energies(torch.cat((batch, self._samples(batch)))).chunk(2)
        return low.mean() - high.mean() + KEPT_SMALL * (low**2 + high**2).mean()

    def _samples(self, batch: Tensor) -> Tensor:
        if not self.persistent:
            return self.langevin(batch)
        chosen = torch.randperm(self.chains, generator=self.random)[: len(batch)]
        anew = torch.rand((len(batch), 1), generator=self.random) < self.restarts
        samples = self.langevin(torch.where(anew, self._uniform(len(batch)), self.states[chosen]))
        self.states[chosen] = samples
        return samples

    def _uniform(self, count: int) -> Tensor:
        return (torch.rand((count, 2), generator=self.random) * 2 - 1) * self.box


class NoiseContrastive(Descended):
    """NCE: logistic regression that tells data from noise, uniform in the box, by -E(y) - c - log p_noise(y).

    The constant c is learned, too, and comes to log Z: -E - c is a density that sums to 1. As many points
    are noise as are data.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        box: float = BOX,
        steps: int = 1000,
        rate: float = 2e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("box", box)
        self.box = box

    def _begin(self, data: Tensor) -> None:
        require_in_box(data.numpy(), self.box)
        self.constant = nn.Parameter(torch.zeros(()))

    def _parameters(self) -> list[nn.Parameter]:
        return [*self.network.parameters(), self.constant]

    def loss(self, batch: Tensor) -> Tensor:
        noise = (torch.rand(batch.shape, generator=self.random) * 2 - 1) * self.box
        log_noise = -2 * math.log(2 * self.box)
        ratio = -self._energies(torch.cat((batch, noise))) - self.constant - log_noise
        of_data, of_noise = ratio.chunk(2)
        return F.softplus(-of_data).mean() + F.softplus(of_noise).mean()

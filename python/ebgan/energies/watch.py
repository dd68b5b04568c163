"""What becomes of an EBGAN's surface, and of the game it plays, while it learns."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ebgan.energies.ebgan import EBGAN
from ebgan.energies.equilibrium import total_variation
from ebgan.energies.points import Points, shares
from ebgan.energies.sets import PointSet
from ebgan.energies.surfaces import Surface, surface, surface_grid

MOMENTS = 125  # of a training: a film of five seconds
CELLS = 12  # along each side: of the distributions that are compared


@dataclass(frozen=True)
class Moment:
    """After `step` steps: the surface, points of the generator (N, 2), and the game.

    `value` is V, the mean of the discriminator's loss, and `distance` the total variation between the cells
    of the generator's points and those of the data.
    """

    step: int
    surface: Surface
    generated: Points
    value: float
    distance: float


class Watch:
    """Takes a `Moment` now and then: `learner.fit(points, after_step=Watch(learner, data))`.

    All moments see the same points of data, with the noise that the learner adds to them, and a generator's
    points of the same deviates, as many. The learner's own random numbers are left alone. `seconds` is what
    all moments took.
    """

    def __init__(self, learner: EBGAN, data: PointSet) -> None:
        random = np.random.default_rng(learner.seed)
        self.learner, self.step, self.seconds, self.moments = learner, 0, 0.0, list[Moment]()
        self.every = max(1, learner.steps // MOMENTS)
        self.data = data.points + learner.noise * random.standard_normal(data.points.shape)
        again = data.held_out + learner.noise * random.standard_normal(data.held_out.shape)
        self.deviates = torch.as_tensor(random.standard_normal(data.points.shape), dtype=torch.float32)
        self.least = self._distance(again)  # of two draws of the data, which finite draws do not go below

    def __call__(self) -> None:
        self.step += 1
        if self.step == 1 or self.step % self.every == 0:
            began = time.perf_counter()
            self.moments.append(self._moment())
            self.seconds += time.perf_counter() - began

    def _moment(self) -> Moment:
        with torch.no_grad():
            generated = self.learner.generator(self.deviates).double().numpy()
        pushed_up = np.maximum(self.learner.margin - self.learner.energy(generated), 0)
        value = self.learner.energy(self.data).mean() + pushed_up.mean()
        seen = surface(f"step {self.step}", self.learner.energy(surface_grid()), 0.0, self.learner.margin)
        return Moment(self.step, seen, generated, float(value), self._distance(generated))

    def _distance(self, points: NDArray[np.float64]) -> float:
        return total_variation(shares(self.data, CELLS), shares(points, CELLS))

"""What all learners of an energy have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ebgan.energies.points import Points, as_data, as_points
from ebgan.errors import UserError
from ebgan.training.device import cpu_threads

THREADS = 1  # networks this small gain nothing from a second thread, and lose much where cores are shared

Learned = TypeVar("Learned", bound="Learner")


class Learner(ABC):
    """A learner of an energy of points of the plane, which is low at its data and higher elsewhere.

    `steps` is how many steps `fit` takes. Energies of different learners have different units.

    Example:
        >>> from ebgan.energies import PCA
        >>> PCA().fit([[0, 0], [1, 1], [2, 2]]).energy([[5, 5], [1, 0]]).round(2).tolist()
        [0.0, 0.5]
    """

    steps: int = 1
    fitted: bool = False

    def fit(self: Learned, points: ArrayLike, *, after_step: Callable[[], object] | None = None) -> Learned:
        """Learn the energy from `points` (N, 2); the same points and seed give the same energy.

        `after_step` is called after each of the `steps`, when `energy` gives what is learned so far. For a
        progress bar it is the `update` of `ebgan.training.meter.meter(learner.steps)`.

        Raises:
            UserError: the points are not finite, all the same, fewer than two, or not in the plane, or the
                learner cannot learn from them.
        """
        data = as_data(points)
        try:
            with cpu_threads(THREADS):
                for _ in self._learn(data):
                    self.fitted = True
                    if after_step is not None:
                        after_step()
        except UserError:
            self.fitted = False
            raise
        return self

    def energy(self, points: ArrayLike) -> NDArray[np.float64]:
        """The energies (N,) of `points` (N, 2).

        Raises:
            UserError: `fit` was not called, or the points are not finite or not in the plane.
        """
        if not self.fitted:
            raise UserError(f"energy: {type(self).__name__} has learned nothing yet; call its fit first")
        return np.asarray(self._energy(as_points(points)), dtype=np.float64)

    @abstractmethod
    def _learn(self, points: Points) -> Iterator[None]:
        """Learn from `points`, `steps` steps in all."""

    @abstractmethod
    def _energy(self, points: Points) -> NDArray[np.float64]:
        """The energies of `points`."""

"""Shuffled numbers as a pure function of a key and the step: the order in which batches visit a set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import at_least


class Shuffled:
    """Batches of `size` of the numbers `of`, each once an epoch, in an order that `key` and epoch decide.

    A batch may span the seam of two epochs, so none is smaller than the others.

    Example:
        >>> batches = Shuffled(np.arange(5), 2, key=(0,))
        >>> sorted(np.concatenate([batches.at(step) for step in range(5)]).tolist())
        [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    """

    def __init__(self, of: NDArray[np.int64], size: int, key: tuple[int, ...]) -> None:
        self.of, self.size, self.key = of, size, key
        self._kept = (-1, of)

    def at(self, step: int) -> NDArray[np.int64]:
        """Batch number `step`, counted from 0: int64 (size,)."""
        at_least("step", step, 0)
        first = step * self.size
        numbers = np.empty(self.size, np.int64)
        done = 0
        while done < self.size:
            epoch, place = divmod(first + done, len(self.of))
            part = self._order(epoch)[place : place + self.size - done]
            numbers[done : done + len(part)] = part
            done += len(part)
        return numbers

    def _order(self, epoch: int) -> NDArray[np.int64]:
        # Kept for one epoch: shuffling 60,000 numbers takes longer than preparing a batch of 64. Replaced in
        # one assignment, so threads that ask for different steps cost each other time, never a wrong result.
        kept, order = self._kept
        if kept != epoch:
            order = np.random.default_rng((*self.key, epoch)).permutation(self.of)
            self._kept = (epoch, order)
        return order

"""A check of generated digits by a classifier that knows only real ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ebgan.data import load
from ebgan.errors import require
from ebgan.gan import Generator, sample

SHARE_LIMIT = 0.3


@dataclass(frozen=True)
class NearestNeighbourCheck:
    """The number of samples in each class, by the class of the nearest real image."""

    counts: tuple[int, ...]
    classes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether no class is missing and none has more than 30 % of the samples."""
        return min(self.counts) > 0 and max(self.counts) <= SHARE_LIMIT * sum(self.counts)

    def __str__(self) -> str:
        total = sum(self.counts)
        rows = [f"{total} samples by their nearest real digit (1-NN):"]
        for name, count in zip(self.classes, self.counts, strict=True):
            rows.append(f"  {name} {count / total:6.1%} {'#' * round(100 * count / total)}")
        rows.append(
            "passed: every class is there, none over 30 %"
            if self.passed
            else "FAILED: a class is missing or over 30 %"
        )
        return "\n".join(rows)


def nearest_neighbour_check(
    generator: Generator, *, data: str = "digits", count: int = 500
) -> NearestNeighbourCheck:
    """Classify `count` samples of `generator` by the nearest image of the data set."""
    real = load(data)
    neighbours = require("sklearn.neighbors").KNeighborsClassifier(n_neighbors=1)
    neighbours.fit(real.images.reshape(len(real), -1) / 127.5 - 1, real.labels)
    labels = neighbours.predict(sample(generator, count, seed=0).flatten(1).cpu().numpy())
    counts = np.bincount(labels, minlength=len(real.classes))
    return NearestNeighbourCheck(tuple(map(int, counts)), real.classes)

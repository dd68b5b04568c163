"""How well an energy tells points on the data from points off it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import require


@dataclass(frozen=True)
class Scores:
    """Mean energies of points on and off the data, and the AUC of telling them apart.

    `auc` is the probability that a point off the data has more energy than one on it: 1 is perfect, 0.5 is
    chance.
    """

    mean_on: float
    mean_off: float
    auc: float


def scores(on: NDArray[np.float64], off: NDArray[np.float64]) -> Scores:
    """The scores of the energies (N,) of points on the data and (M,) off it.

    Example:
        >>> scores(np.array([0.0, 1.0]), np.array([0.5, 2.0])).auc
        0.75
    """
    is_off = np.repeat([0, 1], [len(on), len(off)])
    auc = require("sklearn.metrics").roc_auc_score(is_off, np.concatenate((on, off)))
    return Scores(float(on.mean()), float(off.mean()), float(auc))

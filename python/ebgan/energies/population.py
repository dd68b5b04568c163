"""Points of the plane as the activities of many units, for learners with linear decoders."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan.energies.points import BOX, grid

AROUND = 0.5  # units lie so far beyond the box, too, for otherwise activity would fade at its edge


class Population:
    """phi_j(y) = exp(-||y - c_j||^2 / (2 width^2)); (N, 2) to (N, units^2), the centres c_j on a grid.

    A linear dictionary of points of the plane itself can only have straight rays of low energy. Among these
    activities a curve of points is spanned by few atoms, as patches of images are by few edges, and what
    lies off the curve is not.
    """

    def __init__(self, units: int = 20, *, width: float = 0.2, box: float = BOX) -> None:
        self.centres = torch.as_tensor(grid(units, box + AROUND), dtype=torch.float32)
        self.width = width

    def __call__(self, points: Tensor) -> Tensor:
        square = ((points[:, None] - self.centres) ** 2).sum(2)
        return torch.exp(-square / (2 * self.width**2))

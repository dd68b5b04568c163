"""Strategy 2: push down on the data and up everywhere else, by the sum over the whole plane."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ebgan.energies.descent import Descended
from ebgan.energies.points import BOX, grid, require_in_box
from ebgan.errors import at_least, positive


class MaximumLikelihood(Descended):
    """Maximum likelihood: mean E(data) + log Z, Z = the sum of exp(-E) over a grid, times a cell's area.

    In the plane the partition function Z can be summed; the box holds all the probability there is.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        cells: int = 64,
        box: float = BOX,
        steps: int = 500,
        rate: float = 4e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        at_least("cells", cells, 2)
        positive("box", box)
        self.box = box
        self.grid = torch.as_tensor(grid(cells, box), dtype=torch.float32)
        self.log_area = 2 * math.log(2 * box / cells)

    def _begin(self, data: Tensor) -> None:
        require_in_box(data.numpy(), self.box)

    def log_partition(self) -> Tensor:
        """log Z of the energy as it is now, 0-d."""
        return torch.logsumexp(-self._energies(self.grid), 0) + self.log_area

    def loss(self, batch: Tensor) -> Tensor:
        return self._energies(batch).mean() + self.log_partition()

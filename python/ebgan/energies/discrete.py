"""Strategy 3 on binary data: ratio matching and minimum probability flow, on the plane cut into cells."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from ebgan.energies.descent import Descended
from ebgan.energies.points import BOX, grid, require_in_box
from ebgan.errors import at_least, positive


class Cells:
    """The box cut into 4^`bits` cells, each a word of 2 `bits` bits in Gray code.

    `centres` (4^bits, 2) are their points, `flipped` (4^bits, 2 bits) the cells whose words differ from a
    cell's in one bit. In Gray code these are neighbours, and for other bits cells further away.
    """

    def __init__(self, bits: int, box: float) -> None:
        self.side, self.box = 2**bits, box
        self.centres = torch.as_tensor(grid(self.side, box), dtype=torch.float32)
        place = torch.arange(self.side)
        gray = place ^ (place >> 1)
        along = torch.argsort(gray)[gray[:, None] ^ (1 << torch.arange(bits))]  # (side, bits) places
        cell = torch.arange(self.side**2)
        row, column = cell.div(self.side, rounding_mode="floor"), cell % self.side
        in_row = row[:, None] * self.side + along[column]
        in_column = along[row] * self.side + column[:, None]
        self.flipped = torch.cat((in_row, in_column), 1)

    def of(self, points: Tensor) -> Tensor:
        """The numbers (N,) of the cells that hold `points` (N, 2); of the nearest cells, beyond the box."""
        place = ((points / self.box + 1) / 2 * self.side).floor().long().clamp(0, self.side - 1)
        return place[:, 1] * self.side + place[:, 0]


class Discrete(Descended):
    """A learner on cells; the energy of a point is that of the network at the centre of its cell."""

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        bits: int = 5,
        box: float = BOX,
        steps: int = 600,
        rate: float = 4e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        at_least("bits", bits, 1)
        positive("box", box)
        self.box, self.cells = box, Cells(bits, box)

    def _begin(self, data: Tensor) -> None:
        require_in_box(data.numpy(), self.box)

    def _energies(self, points: Tensor) -> Tensor:
        return super()._energies(self.cells.centres[self.cells.of(points)])

    def loss(self, batch: Tensor) -> Tensor:
        of_cells = super()._energies(self.cells.centres)
        cells = self.cells.of(batch)
        return self.of_flips(of_cells[cells, None], of_cells[self.cells.flipped[cells]])

    @abstractmethod
    def of_flips(self, energies: Tensor, flipped: Tensor) -> Tensor:
        """The loss of the data's `energies` (B, 1) and those with each bit `flipped` (B, 2 bits), 0-d."""


class RatioMatching(Discrete):
    """Ratio matching: mean of sum_i g(p(y) / p(y with bit i flipped))^2, g(u) = 1 / (1 + u), p ~ exp(-E).

    In a ratio of probabilities the partition function is gone.
    """

    def of_flips(self, energies: Tensor, flipped: Tensor) -> Tensor:
        return (torch.sigmoid(energies - flipped) ** 2).sum(1).mean()


class MinimumProbabilityFlow(Discrete):
    """Minimum probability flow: mean of sum_i exp((E(y) - E(y with bit i flipped)) / 2).

    That is how fast probability would begin to flow from the data to other cells, one flip away, in dynamics
    that come to rest at exp(-E).
    """

    def of_flips(self, energies: Tensor, flipped: Tensor) -> Tensor:
        return torch.exp((energies - flipped) / 2).sum(1).mean()

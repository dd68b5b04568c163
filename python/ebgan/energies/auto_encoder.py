"""Auto-encoders of points of the plane, and the learners whose energy is how far they move a point."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ebgan.energies.descent import Descended
from ebgan.errors import UserError
from ebgan_kernels import reconstruction_energy
from ebgan_kernels.ops.module import Module


class AutoEncoder(Module):
    """`decoder(encoder(y))`: (N, 2) to codes (N, `code`) and back, with one hidden layer on either side.

    Args:
        squash: what is applied to the codes.
        width: units in each hidden layer.
        code: numbers in a code.
    """

    def __init__(self, squash: nn.Module, *, width: int = 64, code: int = 64) -> None:
        super().__init__()
        first = nn.Linear(2, width)
        nn.init.normal_(first.weight, std=3.0)  # bends of the size of the data, not of the box
        self.encoder = nn.Sequential(
            first, nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, code)
        )
        self.squash = squash
        self.decoder = nn.Sequential(nn.Linear(code, width), nn.SiLU(), nn.Linear(width, 2))

    def forward(self, points: Tensor) -> Tensor:
        """The reconstructions (N, 2) of points.

        Args:
            points: (N, 2).
        """
        return self.decoder(self.squash(self.encoder(points)))


class Reconstructing(Descended):
    """A learner with the energy E(y) = ||y - G(y)||^2, G an auto-encoder (N, 2) to (N, 2)."""

    distance: Literal["l2", "squared_l2"] = "squared_l2"

    def _network(self) -> nn.Module:
        return AutoEncoder(nn.Tanh())

    def _reconstruction(self, points: Tensor) -> Tensor:
        restored = self.network(points)
        if restored.shape != points.shape:
            raise UserError(
                f"network: it gives shape {tuple(restored.shape)} for points of shape {tuple(points.shape)}, "
                "allowed is the same"
            )
        return restored

    def _energies(self, points: Tensor) -> Tensor:
        return reconstruction_energy(self._reconstruction(points), points, distance=self.distance)

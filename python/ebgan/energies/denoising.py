"""Strategy 5: a dynamical system that goes to the data, a denoising auto-encoder."""

from __future__ import annotations

from torch import Tensor, nn

from ebgan.energies.auto_encoder import Reconstructing
from ebgan.errors import positive


class DenoisingAutoEncoder(Reconstructing):
    """Learns G(y + noise n) = y, mean ||y - G(y + noise n)||^2; its energy is E(y) = ||y - G(y)||^2.

    Where noise has brought a point, G brings it back, and E is the square of that step. It is small, too,
    on the middle line between two parts of the data, where the steps to either balance. `noise` is the
    standard deviation of the Gaussian noise.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        noise: float = 0.1,
        steps: int = 1000,
        rate: float = 2e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("noise", noise)
        self.noise = noise

    def loss(self, batch: Tensor) -> Tensor:
        restored = self._reconstruction(batch + self.noise * self._normal(*batch.shape))
        return ((restored - batch) ** 2).sum(1).mean()

"""Strategy 7: E(y) = ||y - G(y)||^2 with G as constant as it can be while it restores the data."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ebgan.energies.auto_encoder import AutoEncoder, Reconstructing
from ebgan.errors import positive


class ContractiveAutoEncoder(Reconstructing):
    """Learns mean ||y - G(y)||^2 + `weight` ||dG/dy||_F^2 at the data.

    G must follow the data and is flat across it: it goes back to where the data is. The slope is that of G
    itself, as in the deck; one of the codes alone could be undone by a steeper decoder.
    """

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        weight: float = 0.01,
        steps: int = 800,
        rate: float = 2e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("weight", weight)
        self.weight = weight

    def loss(self, batch: Tensor) -> Tensor:
        points = batch.clone().requires_grad_()
        restored = self._reconstruction(points)
        slopes = [
            torch.autograd.grad(restored[:, axis].sum(), points, create_graph=True)[0] for axis in (0, 1)
        ]
        slope = (torch.cat(slopes, 1) ** 2).sum(1)
        return (((restored - batch) ** 2).sum(1) + self.weight * slope).mean()


class SaturatingAutoEncoder(Reconstructing):
    """Learns mean ||y - G(y)||^2 + `weight` sum_j [1 - |a_j|]^+, its codes a_j clipped to [-1, 1].

    The penalty is a unit's distance from where it saturates. At the data the units then are constant, and G
    with them, but for those that change from one part of the data to the next.
    """

    network: AutoEncoder

    def __init__(
        self,
        *,
        weight: float = 0.003,
        steps: int = 1000,
        rate: float = 2e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("weight", weight)
        self.weight = weight

    def _network(self) -> nn.Module:
        return AutoEncoder(nn.Hardtanh())

    def loss(self, batch: Tensor) -> Tensor:
        activations = self.network.encoder(batch)
        restored = self.network.decoder(self.network.squash(activations))
        from_flat = F.relu(1 - activations.abs()).sum(1)
        return (((restored - batch) ** 2).sum(1) + self.weight * from_flat).mean()

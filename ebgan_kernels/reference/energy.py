"""The energy family in plain PyTorch: its definition, the fallback, the test oracle and the baseline.

Every function here is differentiable by autograd to any order. Sums run in float32 (float64 for float64
input), also under autocast. Arguments have passed ``ebgan_kernels.checks``.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from ebgan_kernels.reference.dtypes import accumulation

Distance = Literal["l2", "squared_l2", "mse", "l1"]
Shaping = Literal["identity", "square"]


def reconstruction_energy(reconstruction: Tensor, target: Tensor, distance: Distance) -> Tensor:
    """(N, ...), (N, ...) -> (N,): the distance of each sample's reconstruction from its target."""
    residual = (accumulation(reconstruction) - accumulation(target)).reshape(
        target.shape[0], target[:1].numel()
    )
    if distance == "l2":
        # The gradient of vector_norm at a zero residual is 0; that of sqrt(sum of squares) would be NaN.
        return torch.linalg.vector_norm(residual, dim=1)
    if distance == "l1":
        return residual.abs().sum(1)
    squares = residual.square()
    return squares.mean(1) if distance == "mse" else squares.sum(1)


def shaped(value: Tensor, shaping: Shaping) -> Tensor:
    """The deck's f, which is strictly increasing and convex on [0, inf), with f(0) = 0."""
    return value.square() if shaping == "square" else value


def hinge_margin_loss(real_energy: Tensor, fake_energy: Tensor, margin: Tensor, shaping: Shaping) -> Tensor:
    """mean f(real_energy) + mean f([margin - fake_energy]^+), the hinge of each sample on its own."""
    real_energy, fake_energy = accumulation(real_energy), accumulation(fake_energy)
    hinge = torch.relu(margin.to(fake_energy.dtype) - fake_energy)
    return shaped(real_energy, shaping).mean() + shaped(hinge, shaping).mean()


def discriminator_loss(
    real_reconstruction: Tensor,
    real: Tensor,
    fake_reconstruction: Tensor,
    fake: Tensor,
    margin: Tensor,
    distance: Distance,
    shaping: Shaping,
) -> tuple[Tensor, Tensor, Tensor]:
    """The hinge margin loss of the two reconstruction energies, with both energies, detached."""
    real_energy = reconstruction_energy(real_reconstruction, real, distance)
    fake_energy = reconstruction_energy(fake_reconstruction, fake, distance)
    loss = hinge_margin_loss(real_energy, fake_energy, margin, shaping)
    return loss, real_energy.detach(), fake_energy.detach()


def generator_loss(fake_reconstruction: Tensor, fake: Tensor, distance: Distance, shaping: Shaping) -> Tensor:
    """mean f(E(fake)); the gradient flows through the reconstruction and through the target."""
    return shaped(reconstruction_energy(fake_reconstruction, fake, distance), shaping).mean()

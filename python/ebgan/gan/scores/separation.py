"""How well an energy tells generated images from real ones that it was not trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan.errors import UserError


def separation(real_energy: Tensor, fake_energy: Tensor) -> float:
    """The area under the ROC curve (AUC) of an energy: how often a generated image has the higher one.

        AUC = P(E(fake) > E(real)) + P(E(fake) = E(real)) / 2

    1 where every generated image has more energy than every real one, 0.5 where the energy cannot tell them
    apart, and below where it takes the generated ones for more real. Exact: all pairs are compared.

    Args:
        real_energy: (M,), of real images that were held out.
        fake_energy: (N,), of generated ones.

    Raises:
        UserError: a set is empty or no vector, or an energy is not a number.

    Example:
        >>> separation(torch.tensor([1.0, 2.0]), torch.tensor([2.0, 3.0]))
        0.875
    """
    for name, energy in (("real_energy", real_energy), ("fake_energy", fake_energy)):
        if energy.ndim != 1 or not len(energy) or energy.isnan().any():
            raise UserError(f"{name}: got {tuple(energy.shape)}, expected numbers (N,) with N at least 1")
    real = real_energy.double().sort().values
    fake = fake_energy.double()
    below = torch.searchsorted(real, fake)  # real energies below each
    up_to = torch.searchsorted(real, fake, right=True)
    return ((below + up_to).double().mean() / (2 * len(real))).item()

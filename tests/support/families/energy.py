"""Operators of the family energy with valid arguments, and its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import ebgan_kernels as ek
from support.arguments import CODES, IMAGES, MARGIN

OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "reconstruction_energy": (
        ek.reconstruction_energy,
        {"reconstruction": IMAGES, "target": IMAGES},
    ),
    "hinge_margin_loss": (
        ek.hinge_margin_loss,
        {"real_energy": torch.ones(2), "fake_energy": torch.ones(3), "margin": MARGIN},
    ),
    "discriminator_loss": (
        ek.discriminator_loss,
        {"real_reconstruction": IMAGES, "real": IMAGES, "fake_reconstruction": IMAGES, "fake": IMAGES}
        | {"margin": MARGIN},
    ),
    "generator_loss": (
        ek.generator_loss,
        {"fake_reconstruction": IMAGES, "fake": IMAGES, "codes": CODES},
    ),
}
MODULES: dict[type[nn.Module], Callable[[], nn.Module]] = {
    ek.ReconstructionEnergy: ek.ReconstructionEnergy,
    ek.HingeMarginLoss: lambda: ek.HingeMarginLoss(10.1),
    ek.EBGANDiscriminatorLoss: lambda: ek.EBGANDiscriminatorLoss(10.1),
    ek.EBGANGeneratorLoss: ek.EBGANGeneratorLoss,
}

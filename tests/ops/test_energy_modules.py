"""The modules: equal to the functions, and their representations."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.reference.energy import Distance, Shaping
from support.implementations import device_of
from support.losses import DISTANCES, SHAPINGS, images


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_modules_equal_functions(distance: Distance, shaping: Shaping, implementation: ek.Backend) -> None:
    device = device_of(implementation)
    real_reconstruction, real, fake_reconstruction, fake = batch = images(device=device)
    discriminator = ek.EBGANDiscriminatorLoss(margin=5.0, distance=distance, shaping=shaping).to(device)
    result = discriminator(*batch)
    assert all(
        map(
            torch.equal, result, ek.discriminator_loss(*batch, margin=5.0, distance=distance, shaping=shaping)
        )
    )
    assert torch.equal(ek.ReconstructionEnergy(distance)(real_reconstruction, real), result.real_energy)
    assert torch.equal(
        ek.HingeMarginLoss(5.0, shaping).to(device)(result.real_energy, result.fake_energy),
        ek.hinge_margin_loss(result.real_energy, result.fake_energy, 5.0, shaping=shaping),
    )
    assert torch.equal(
        ek.EBGANGeneratorLoss(distance, shaping)(fake_reconstruction, fake),
        ek.generator_loss(fake_reconstruction, fake, distance=distance, shaping=shaping),
    )


def test_representations_show_the_options() -> None:
    assert repr(ek.ReconstructionEnergy("l1")) == "ReconstructionEnergy(distance='l1')"
    assert repr(ek.HingeMarginLoss(2.5, "square")) == "HingeMarginLoss(margin=2.5, shaping='square')"
    assert (
        repr(ek.EBGANGeneratorLoss())
        == "EBGANGeneratorLoss(distance='l2', shaping='identity', pulling_away_weight=0.1)"
    )
    assert (
        repr(ek.EBGANDiscriminatorLoss(10))
        == "EBGANDiscriminatorLoss(margin=10, distance='l2', shaping='identity')"
    )

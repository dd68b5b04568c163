"""The definition of the energy family against values worked out by hand and loops over single elements."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import energy as reference

DISTANCES = get_args(reference.Distance)
SHAPINGS = get_args(reference.Shaping)
MARGIN = torch.tensor(2.0, dtype=torch.float64)


def loop_energy(reconstruction: Tensor, target: Tensor, distance: str) -> list[float]:
    energies = []
    for reconstructed, image in zip(
        reconstruction.flatten(1).tolist(), target.flatten(1).tolist(), strict=True
    ):
        squares = absolutes = 0.0
        for a, b in zip(reconstructed, image, strict=True):
            squares += (a - b) ** 2
            absolutes += abs(a - b)
        of = {"l2": math.sqrt(squares), "squared_l2": squares, "mse": squares / len(image), "l1": absolutes}
        energies.append(of[distance])
    return energies


def loop_hinge(real: list[float], fake: list[float], margin: float, shaping: str) -> float:
    power = 2 if shaping == "square" else 1
    return sum(e**power for e in real) / len(real) + sum(max(0.0, margin - e) ** power for e in fake) / len(
        fake
    )


@pytest.mark.parametrize(
    ("distance", "energy"), [("l2", 5.0), ("squared_l2", 25.0), ("mse", 12.5), ("l1", 7.0)]
)
def test_energy_of_a_residual_of_three_and_minus_four(distance: str, energy: float) -> None:
    reconstruction, target = torch.tensor([[4.0, -5.0]]), torch.tensor([[1.0, -1.0]])
    assert reference.reconstruction_energy(reconstruction, target, distance).tolist() == [energy]


@pytest.mark.parametrize(("shaping", "loss"), [("identity", 2.75), ("square", 6.125)])
def test_loss_of_real_energies_1_and_3_and_fake_energies_half_and_4(shaping: str, loss: float) -> None:
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5, 4.0])
    assert reference.hinge_margin_loss(real, fake, MARGIN, shaping).item() == loss


@pytest.mark.parametrize("distance", DISTANCES)
def test_energy_equals_a_loop_over_elements(distance: str) -> None:
    reconstruction, target = torch.randn(2, 3, 2, 5, 4, dtype=torch.float64)
    energy = reference.reconstruction_energy(reconstruction, target, distance)
    expected = torch.tensor(loop_energy(reconstruction, target, distance), dtype=torch.float64)
    torch.testing.assert_close(energy, expected)


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_losses_equal_a_loop_over_samples_of_batches_of_different_size(distance: str, shaping: str) -> None:
    real = torch.randn(2, 3, 6, dtype=torch.float64)
    fake = torch.randn(2, 5, 6, dtype=torch.float64)
    real_energy, fake_energy = loop_energy(*real, distance), loop_energy(*fake, distance)
    margin = torch.tensor(sorted(fake_energy)[2], dtype=torch.float64)

    loss, *energies = reference.discriminator_loss(*real, *fake, margin, distance, shaping)
    expected = loop_hinge(real_energy, fake_energy, margin.item(), shaping)
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    assert torch.cat(energies).tolist() == pytest.approx(real_energy + fake_energy, rel=1e-12)

    generator = reference.generator_loss(*fake, distance, shaping).item()
    # With nothing but the generated batch as "real" and no gap to fill, the hinge loss is the generator's.
    assert generator == pytest.approx(loop_hinge(fake_energy, [0.0], 0.0, shaping), rel=1e-12)


def test_the_hinge_is_per_sample_and_not_of_the_batch() -> None:
    fake = torch.stack([torch.zeros_like(MARGIN), 2 * MARGIN])
    per_sample = reference.hinge_margin_loss(torch.zeros(1).double(), fake, MARGIN, "identity")
    assert per_sample == MARGIN / 2
    assert torch.relu(MARGIN - fake.mean()) == 0


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_gradient_at_a_perfect_reconstruction_is_zero(distance: str) -> None:
    reconstruction = torch.randn(2, 7).requires_grad_()
    reference.reconstruction_energy(
        reconstruction, reconstruction.detach().clone(), distance
    ).sum().backward()
    assert torch.equal(reconstruction.grad, torch.zeros(2, 7))


def test_energies_of_images_in_minus_one_to_one_are_bounded() -> None:
    black, white = torch.full((1, 3, 64, 64), -1.0), torch.full((1, 3, 64, 64), 1.0)
    assert reference.reconstruction_energy(black, white, "mse").item() == 4.0
    norm = reference.reconstruction_energy(black, white, "l2").item()
    assert norm == pytest.approx(
        2 * math.sqrt(12288), rel=1e-6
    )  # 221.7: margins of 10 to 80 belong to the norm


def test_the_generator_learns_from_samples_beyond_the_margin_and_the_discriminator_does_not() -> None:
    fake, fake_reconstruction = torch.zeros(2, 4), torch.full((2, 4), 3.0).requires_grad_()
    real = torch.zeros(2, 4)
    reference.discriminator_loss(real, real, fake_reconstruction, fake, MARGIN, "l2", "identity")[
        0
    ].backward()
    assert not fake_reconstruction.grad.any()
    fake_reconstruction.grad = None
    reference.generator_loss(fake_reconstruction, fake, "l2", "identity").backward()
    assert fake_reconstruction.grad.all()


def test_the_generators_gradient_flows_through_reconstruction_and_target() -> None:
    reconstruction, target = torch.randn(2, 3, 6).unbind()
    reconstruction, target = reconstruction.requires_grad_(), target.requires_grad_()
    reference.generator_loss(reconstruction, target, "l2", "identity").backward()
    assert torch.equal(reconstruction.grad, -target.grad)


def test_the_discriminators_energies_carry_no_gradient() -> None:
    images = [torch.randn(2, 3).requires_grad_() for _ in range(4)]
    loss, real_energy, fake_energy = reference.discriminator_loss(*images, MARGIN, "l2", "identity")
    assert loss.requires_grad and not real_energy.requires_grad and not fake_energy.requires_grad


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_images_are_summed_in_float32(dtype: torch.dtype) -> None:
    ones, zeros = torch.ones(1, 100_001, dtype=dtype), torch.zeros(1, 100_001)
    energy = reference.reconstruction_energy(ones, zeros, "squared_l2")
    assert (
        energy.dtype == torch.float32 and energy.item() == 100_001
    )  # float16 ends at 65504, bfloat16 counts to 256


def test_sums_stay_in_float32_under_autocast() -> None:
    ones, zeros = torch.ones(1, 100_001, dtype=torch.bfloat16), torch.zeros(1, 100_001)
    with torch.autocast("cpu", torch.bfloat16):
        assert reference.generator_loss(ones, zeros, "squared_l2", "identity").item() == 100_001

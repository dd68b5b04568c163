"""The propositions of the EBGAN paper and deck on finite distributions, computed with the loss itself.

A distribution over the points is a tensor of counts; a point's energy is repeated as often as it is counted,
so that the mean over the batch is the expectation: V(G, D) = E_data f(D) + E_G f([m - D]^+).
Zhao, Mathieu, LeCun, arXiv:1609.03126, section 2.2.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import energy as reference

MARGIN = torch.tensor(3.0, dtype=torch.float64)
DATA = torch.tensor([4, 0, 5, 1, 6])
GENERATED = [torch.tensor(counts) for counts in ([1, 7, 5, 3, 0], [0, 16, 0, 0, 0], [4, 0, 5, 1, 6])]


def value(energy: Tensor, data: Tensor, generated: Tensor, shaping: reference.Shaping = "identity") -> Tensor:
    real_energy, fake_energy = energy.repeat_interleave(data), energy.repeat_interleave(generated)
    return reference.hinge_margin_loss(real_energy, fake_energy, MARGIN, shaping)


def probability(counts: Tensor) -> Tensor:
    return counts.double() / counts.sum()


def assert_minimal(
    energy: Tensor, data: Tensor, generated: Tensor, shaping: reference.Shaping = "identity"
) -> None:
    """No other energy of any one point gives a smaller value; V is a sum over points, so no other D does."""
    least = value(energy, data, generated, shaping)
    for point in range(len(energy)):
        for other in torch.linspace(0, 1.5 * MARGIN.item(), 61, dtype=torch.float64):
            moved = energy.clone()
            moved[point] = other
            assert value(moved, data, generated, shaping) >= least - 1e-12


@pytest.mark.parametrize(("a", "b"), [(1, 3), (3, 1), (0, 2), (2, 0), (2, 2)])
def test_a_times_y_plus_b_times_hinge_is_least_at_the_margin_or_at_zero(a: int, b: int) -> None:
    samples = 4
    y = torch.linspace(0, 2 * MARGIN.item(), 241, dtype=torch.float64)
    # The other samples add nothing: real ones at energy 0, fake ones at the margin.
    real = torch.zeros(samples, dtype=torch.float64)
    fake = MARGIN.repeat(samples)
    phi = torch.empty_like(y)
    for i, energy in enumerate(y):
        real[:a], fake[:b] = energy, energy
        phi[i] = samples * reference.hinge_margin_loss(real, fake, MARGIN, "identity")
    torch.testing.assert_close(phi, a * y + b * (MARGIN - y).clamp(min=0))
    least = y[phi.argmin()]
    assert phi.min().item() == pytest.approx(min(a, b) * MARGIN.item())
    if a != b:
        assert least == (MARGIN if a < b else 0)


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5, 1.0])
def test_at_the_equilibrium_the_value_is_the_margin_for_every_constant_energy(fraction: float) -> None:
    energy = (fraction * MARGIN).repeat(len(DATA))
    torch.testing.assert_close(value(energy, DATA, DATA), MARGIN)
    assert_minimal(energy, DATA, DATA)


@pytest.mark.parametrize("generated", GENERATED)
def test_the_best_discriminators_value_is_the_margin_times_one_minus_total_variation(
    generated: Tensor,
) -> None:
    energy = torch.where(probability(DATA) < probability(generated), MARGIN, 0.0)
    total_variation = (probability(DATA) - probability(generated)).abs().sum() / 2
    torch.testing.assert_close(value(energy, DATA, generated), MARGIN * (1 - total_variation))
    assert_minimal(energy, DATA, generated)


@pytest.mark.parametrize("generated", GENERATED)
def test_with_the_square_the_best_energy_is_the_margin_times_the_share_of_generated(
    generated: Tensor,
) -> None:
    share = probability(generated) / (probability(DATA) + probability(generated))
    assert_minimal(MARGIN * share.nan_to_num(), DATA, generated, "square")


def test_with_the_square_the_equilibrium_is_half_the_margin_at_half_its_square() -> None:
    energy = (MARGIN / 2).repeat(len(DATA))
    torch.testing.assert_close(value(energy, DATA, DATA, "square"), MARGIN**2 / 2)
    assert_minimal(energy, DATA, DATA, "square")

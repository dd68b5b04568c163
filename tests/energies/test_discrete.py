"""Ratio matching and minimum probability flow, by exact enumeration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.energies import MinimumProbabilityFlow, RatioMatching
from ebgan.energies.discrete import Cells
from ebgan.errors import UserError

DATA = np.random.default_rng(0).uniform(-1, 1, (100, 2))
BOTH = pytest.mark.parametrize("make", [RatioMatching, MinimumProbabilityFlow])


def gray(bits: int) -> list[str]:
    """The words of the reflected code, as it is made by hand."""
    words = [""]
    for _ in range(bits):
        words = ["0" + word for word in words] + ["1" + word for word in reversed(words)]
    return words


def test_flips_change_one_bit_and_every_one():
    bits = 3
    words = gray(bits)
    cells = Cells(bits, 1.0)
    word = [words[cell // 8] + words[cell % 8] for cell in range(64)]
    for cell in range(64):
        others = {other for other in range(64) if sum(map(str.__ne__, word[cell], word[other])) == 1}
        assert set(cells.flipped[cell].tolist()) == others and len(others) == 2 * bits


def test_a_point_is_in_the_cell_with_the_nearest_centre():
    cells = Cells(4, 1.5)
    points = torch.empty(500, 2).uniform_(-2, 2, generator=torch.Generator().manual_seed(0))
    nearest = torch.cdist(points, cells.centres).argmin(1)
    assert torch.equal(cells.of(points), nearest)


class Table(nn.Module):
    """An energy of its own for every cell."""

    def __init__(self, energies: Tensor) -> None:
        super().__init__()
        self.energies = nn.Parameter(energies)

    def forward(self, points: Tensor) -> Tensor:
        assert len(points) == len(self.energies)
        return self.energies


def expected_loss(learner, log_probability: Tensor, energies: Tensor) -> Tensor:
    """The mean of the loss where the data have exactly these probabilities."""
    cells = learner.cells
    each = [
        learner.of_flips(energies[[cell], None], energies[cells.flipped[[cell]]])
        for cell in range(len(energies))
    ]
    return (log_probability.exp() * torch.stack(each)).sum()


@BOTH
def test_the_loss_is_least_where_the_energy_is_minus_the_log_probability(make):
    learner = make(bits=2)
    random = torch.Generator().manual_seed(0)
    log_probability = torch.randn(16, dtype=torch.float64, generator=random).log_softmax(0)
    energies = (3.0 - log_probability).requires_grad_()
    least = expected_loss(learner, log_probability, energies)
    (gradient,) = torch.autograd.grad(least, energies)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-12, rtol=0)
    for _ in range(20):
        moved = energies.detach() + 0.3 * torch.randn(16, dtype=torch.float64, generator=random)
        assert expected_loss(learner, log_probability, moved) > least


@BOTH
def test_the_loss_of_a_batch_is_the_mean_over_its_cells(make):
    learner = make(Table(torch.zeros(16)), bits=2, steps=1).fit(DATA)
    energies = torch.randn(16)
    learner.network = Table(energies)
    cells = torch.tensor([3, 3, 7, 12])
    share = torch.bincount(cells, minlength=16) / 4
    expected = expected_loss(learner, share.log(), energies)
    torch.testing.assert_close(learner.loss(learner.cells.centres[cells]), expected)


def test_the_losses_of_two_cells_by_hand():
    energies, flipped = torch.tensor([[1.0]]), torch.tensor([[1.0, 1.0 + 2 * np.log(3)]])
    ratio, flow = RatioMatching(bits=1), MinimumProbabilityFlow(bits=1)
    # The cell is as probable as the first neighbour and nine times as probable as the second.
    assert ratio.of_flips(energies, flipped).item() == pytest.approx(1 / 2**2 + 1 / 10**2)
    assert flow.of_flips(energies, flipped).item() == pytest.approx(1 + 1 / 3)


@BOTH
def test_an_energy_is_that_of_the_cell(make):
    learner = make(steps=3).fit(DATA)
    inside = np.array([[0.01, 0.01], [0.08, 0.08], [0.1, 0.01]])  # cells have a side of 0.094
    first, second, other = learner.energy(inside)
    assert first == second and first != other


@BOTH
def test_wrong_options_and_points_are_refused(make):
    with pytest.raises(UserError, match="bits: got 0"):
        make(bits=0)
    with pytest.raises(UserError, match=r"box: got 0\.0"):
        make(box=0.0)
    with pytest.raises(UserError, match="points: a coordinate is 20 from 0"):
        make(steps=1).fit([[0, 0], [20, 1]])

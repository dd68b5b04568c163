"""Learners that descend, on an energy of one parameter whose best value is known in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.energies import (
    EBGAN,
    ContrastiveDivergence,
    DenoisingAutoEncoder,
    DenoisingScoreMatching,
    MaximumLikelihood,
    NoiseContrastive,
    ScoreMatching,
)
from ebgan.energies.contrastive import KEPT_SMALL
from ebgan.errors import UserError

DATA = np.random.default_rng(0).normal(0, 0.3, (2000, 2))
VARIANCE = float((DATA**2).mean())


class Bowl(nn.Module):
    """E(y) = exp(a) ||y||^2 / 2 + b, the energy of a Gaussian of variance exp(-a)."""

    def __init__(self, variance: float = 0.5) -> None:
        super().__init__()
        self.log_precision = nn.Parameter(torch.tensor(-math.log(variance)))
        self.level = nn.Parameter(torch.zeros(()))

    @property
    def variance(self) -> float:
        return math.exp(-self.log_precision.item())

    def forward(self, points: Tensor) -> Tensor:
        return self.log_precision.exp() * (points**2).sum(1) / 2 + self.level


LEARNERS = {
    "likelihood": (MaximumLikelihood, {"steps": 300, "box": 3.0}, 0.0),
    "cd": (ContrastiveDivergence, {"steps": 300, "noise": 0.05, "chain": 30, "step_size": 4e-3}, 0.05),
    "pcd": (ContrastiveDivergence, {"steps": 600, "noise": 0.05, "persistent": True, "restarts": 0.0}, 0.05),
    "nce": (NoiseContrastive, {"steps": 1500}, 0.0),
    "score": (ScoreMatching, {"steps": 1000, "noise": 0.1}, 0.1),
    "denoising-score": (DenoisingScoreMatching, {"steps": 1000, "noise": 0.1}, 0.1),
}


@pytest.mark.parametrize(("make", "options", "noise"), LEARNERS.values(), ids=LEARNERS)
def test_the_variance_of_a_gaussian_is_that_of_the_data_and_the_noise(make, options, noise):
    bowl = Bowl()
    make(bowl, rate=2e-2, batch_size=512, **options).fit(DATA)
    assert bowl.variance == pytest.approx(VARIANCE + noise**2, rel=0.06)


def test_the_partition_function_is_that_of_the_gaussian():
    learner = MaximumLikelihood(Bowl(0.1), steps=1, box=3.0)
    learner.fit(DATA)
    learner.network = Bowl(0.1)
    assert learner.log_partition().item() == pytest.approx(math.log(2 * math.pi * 0.1), abs=1e-5)


def test_the_constant_of_nce_is_the_log_of_the_partition_function():
    bowl = Bowl()
    learner = NoiseContrastive(bowl, steps=2000, rate=2e-2, batch_size=512).fit(DATA)
    log_partition = math.log(2 * math.pi * bowl.variance) - bowl.level.item()
    assert learner.constant.item() == pytest.approx(log_partition, abs=0.1)


def test_langevin_steps_come_to_the_variance_of_their_own_recursion():
    variance, step_size = 0.1, 0.02
    learner = ContrastiveDivergence(Bowl(variance), chain=60, step_size=step_size, box=3.0, steps=1).fit(DATA)
    learner.network = Bowl(variance)
    samples = learner.langevin(torch.full((20_000, 2), 1.0))
    kept = 1 - step_size / variance  # y' = kept y + sqrt(2 step_size) n
    assert samples.var().item() == pytest.approx(2 * step_size / (1 - kept**2), rel=0.03)
    assert samples.mean().item() == pytest.approx(kept**60, abs=0.01)


def test_langevin_steps_stay_in_the_box():
    learner = ContrastiveDivergence(Bowl(1e3), chain=50, step_size=0.5, box=1.0, steps=1).fit(
        DATA.clip(-1, 1)
    )
    assert learner.langevin(torch.zeros(500, 2)).abs().max() == 1.0


def test_the_loss_of_cd_is_the_difference_of_the_energies():
    learner = ContrastiveDivergence(Bowl(), chain=1, step_size=1e-12, noise=0.0, steps=1).fit(DATA)
    learner.network = Bowl()
    batch = torch.tensor([[0.3, 0.4], [0.6, 0.8]])  # energies 0.25 and 1; the chains stay at them
    assert learner.loss(batch).item() == pytest.approx(KEPT_SMALL * 2 * (0.0625 + 1) / 2, rel=1e-4)


def test_persistent_chains_go_on_where_they_were_or_begin_anew():
    learner = ContrastiveDivergence(
        Bowl(), chain=1, step_size=1e-12, persistent=True, chains=512, restarts=0.0, steps=3
    ).fit(DATA)
    before = learner.states.clone()
    learner.loss(torch.zeros(256, 2))
    torch.testing.assert_close(learner.states, before, atol=1e-4, rtol=0)
    learner.restarts = 0.5
    learner.loss(torch.zeros(256, 2))
    moved = ((learner.states - before).abs() > 1e-3).any(1).sum().item()
    assert 100 <= moved <= 156


def test_exact_score_matching_is_half_the_squared_slope_less_the_trace():
    class Saddle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.matrix = nn.Parameter(torch.tensor([[2.0, 0.5], [0.5, -1.0]]))

        def forward(self, points: Tensor) -> Tensor:
            return (points @ self.matrix * points).sum(1) / 2 + (points**4).sum(1) / 12

    learner = ScoreMatching(Saddle(), noise=1e-6, steps=1).fit(DATA)
    learner.network = saddle = Saddle()
    y = torch.randn(64, 2)
    slope, trace = y @ saddle.matrix + y**3 / 3, saddle.matrix.trace() + (y**2).sum(1)
    expected = ((slope**2).sum(1) / 2 - trace).mean()
    torch.testing.assert_close(learner.loss(y), expected, atol=1e-4, rtol=1e-4)


def test_a_linear_denoiser_is_wieners():
    learner = DenoisingAutoEncoder(nn.Linear(2, 2), noise=0.2, steps=1500, rate=2e-2, batch_size=512)
    mixed = DATA @ np.array([[1.0, 0.4], [0.0, 0.5]])
    learner.fit(mixed)
    covariance = np.cov(mixed.T)
    wiener = np.linalg.solve(covariance + 0.04 * np.eye(2), covariance).T
    np.testing.assert_allclose(learner.network.weight.detach().numpy(), wiener, atol=0.03)
    y = np.array([[0.5, -0.2], [1.0, 1.0]])
    moved = y - learner.network(torch.tensor(y, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(learner.energy(y), (moved**2).sum(1), rtol=1e-5)


def test_the_losses_of_ebgan_are_the_papers():
    learner = EBGAN(nn.Linear(2, 2), margin=0.5, noise=0.0, steps=1).fit(DATA)
    batch, state = torch.randn(256, 2), learner.random.get_state()
    before = [parameter.clone() for parameter in learner.generator.parameters()]
    with torch.no_grad():
        learner._normal(256, 2)  # the noise of the data is drawn first
        fake = learner.generated(256)
        energies = [(learner.network(points) - points).norm(dim=1) for points in (batch, fake)]
        expected = energies[0].mean() + (0.5 - energies[1]).clamp(min=0).mean()
    learner.random.set_state(state)
    torch.testing.assert_close(learner.loss(batch), expected)
    after = list(learner.generator.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    torch.testing.assert_close(
        torch.as_tensor(learner.energy(batch)), energies[0].double(), atol=1e-5, rtol=1e-5
    )


def test_a_fit_repeats_and_leaves_the_global_generator_alone():
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (50, 2))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    learners = [NoiseContrastive(steps=20, seed=seed).fit(DATA) for seed in (1, 1, 2)]
    torch.testing.assert_close(torch.rand(3), expected)
    first, again, other = (learner.energy(points) for learner in learners)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(learners[0].fit(DATA).energy(points), first)
    assert not np.allclose(first, other)


def test_a_network_of_another_shape_is_refused():
    with pytest.raises(UserError, match=r"network: it gives shape \(256, 3\) for points of shape \(256, 2\)"):
        DenoisingAutoEncoder(nn.Linear(2, 3)).fit(DATA)
    with pytest.raises(
        UserError, match=r"network: it gives shape .*, allowed is \(512,\), an energy a point"
    ):
        NoiseContrastive(nn.Linear(2, 1)).fit(DATA)


def test_a_loss_that_is_not_finite_names_the_rate():
    with pytest.raises(UserError, match=r"rate: with 1e\+30 the loss came to .*; choose a smaller one"):
        (learner := NoiseContrastive(steps=20, rate=1e30)).fit(DATA)
    with pytest.raises(UserError, match="energy: NoiseContrastive has learned nothing yet"):
        learner.energy(DATA)


def test_after_each_step_the_energy_is_what_is_learned_so_far():
    learner, point, seen = NoiseContrastive(steps=20), [[0.1, 0.2]], []
    learner.fit(DATA, after_step=lambda: seen.append(learner.energy(point).item()))
    assert len(seen) == 20 == len(set(seen)) and seen[-1] == learner.energy(point)


@pytest.mark.parametrize("make", [MaximumLikelihood, ContrastiveDivergence, NoiseContrastive])
def test_points_outside_of_the_box_are_refused(make):
    with pytest.raises(UserError, match=r"points: a coordinate is 20 from 0, at most 1\.5 is allowed; use"):
        make(steps=1).fit([[0, 0], [20, 1]])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: NoiseContrastive(steps=0), "steps: got 0"),
        (lambda: NoiseContrastive(rate=0.0), "rate: got 0.0"),
        (lambda: NoiseContrastive(batch_size=1), "batch_size: got 1"),
        (lambda: NoiseContrastive(seed=-1), "seed: got -1"),
        (lambda: NoiseContrastive(box=0.0), "box: got 0.0"),
        (lambda: MaximumLikelihood(cells=1), "cells: got 1"),
        (lambda: MaximumLikelihood(box=-1.0), "box: got -1.0"),
        (lambda: ContrastiveDivergence(chain=0), "chain: got 0"),
        (lambda: ContrastiveDivergence(step_size=0.0), "step_size: got 0.0"),
        (lambda: ContrastiveDivergence(noise=-0.1), "noise: got -0.1"),
        (lambda: ContrastiveDivergence(restarts=1.0), "restarts: got 1.0"),
        (lambda: ContrastiveDivergence(chains=8), "chains: got 8, allowed are finite numbers from 256 up"),
        (lambda: ScoreMatching(noise=0.0), "noise: got 0.0"),
        (lambda: DenoisingScoreMatching(noise=0.0), "noise: got 0.0"),
        (lambda: DenoisingAutoEncoder(noise=float("nan")), "noise: got nan"),
        (lambda: EBGAN(margin=0.0), "margin: got 0.0"),
        (lambda: EBGAN(noise=-1.0), "noise: got -1.0"),
    ],
)
def test_wrong_options_are_refused_by_their_names(make, said):
    with pytest.raises(UserError) as caught:
        make()
    assert str(caught.value).startswith(said)

"""The terms of the loss against their formulas: each of the release's mistakes would fail one of these."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from ebgan.disentangle import Codes
from ebgan.disentangle.losses import cross_entropy, kl_factor, kl_to_normal


def codes(mean: torch.Tensor, log_std: torch.Tensor) -> Codes:
    return Codes(mean, log_std, torch.zeros(len(mean), 1))


def test_the_divergence_is_that_of_torchs_distributions():
    """The release computes exp(2 l) + m - 2 l + 1, whose value is neither this nor at least 0."""
    mean, log_std = torch.randn(5, 7, dtype=torch.float64), torch.randn(5, 7, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, log_std.exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl_to_normal(codes(mean, log_std)), expected)


def test_the_divergence_is_zero_at_the_prior_alone():
    assert not kl_to_normal(codes(torch.zeros(2, 3), torch.zeros(2, 3))).any()
    assert (kl_to_normal(codes(torch.full((2, 3), -0.5), torch.zeros(2, 3))) > 0).all()


def test_a_style_has_the_deviation_whose_logarithm_the_encoder_gives():
    """The release takes l for the logarithm of the variance when it samples, and not for the divergence."""
    log_std = torch.tensor([math.log(0.5), math.log(3.0)])
    sample = codes(torch.tensor([[2.0, -1.0]]).repeat(20_000, 1), log_std.repeat(20_000, 1)).style()
    torch.testing.assert_close(sample.std(0), torch.tensor([0.5, 3.0]), rtol=0.03, atol=0)
    torch.testing.assert_close(sample.mean(0), torch.tensor([2.0, -1.0]), rtol=0, atol=0.1)


def test_sampling_and_divergence_mean_the_same_deviation():
    """By Monte Carlo, E_q[log q(z) - log p(z)] of what `style` draws is what `kl_to_normal` gives."""
    of = codes(torch.full((40_000, 1), 0.7), torch.full((40_000, 1), -1.0))
    z = of.style()
    sampled = (Normal(0.7, math.exp(-1.0)).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).mean()
    torch.testing.assert_close(sampled, kl_to_normal(of)[0], rtol=0.02, atol=0)


def test_the_factor_of_the_divergence_is_the_releases_on_mnist():
    assert kl_factor(0.1, (1, 28, 28)) == pytest.approx(7.65e-4, rel=1e-3)


@pytest.mark.parametrize("label", [0.95, 0.0, 1.0])
def test_the_cross_entropy_has_soft_labels(label):
    logits = torch.randn(6, dtype=torch.float64)
    p = logits.sigmoid()
    expected = -(label * p.log() + (1 - label) * (1 - p).log()).mean()
    torch.testing.assert_close(cross_entropy(logits, label).double(), expected, rtol=1e-5, atol=1e-6)
    assert torch.isfinite(cross_entropy(torch.tensor([-200.0, 200.0]), label))

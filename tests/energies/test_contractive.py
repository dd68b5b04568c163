from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from ebgan.energies import ContractiveAutoEncoder, SaturatingAutoEncoder
from ebgan.errors import UserError

DATA = np.random.default_rng(0).uniform(-1, 1, (300, 2))


def test_the_contraction_is_the_slope_by_differences():
    learner = ContractiveAutoEncoder(weight=0.3, steps=3).fit(DATA)
    network = learner.network.double()
    y = torch.randn(16, 2, dtype=torch.float64)
    step = 1e-6
    with torch.no_grad():
        slope = torch.zeros(16, dtype=torch.float64)
        for axis in torch.eye(2, dtype=torch.float64) * step:
            slope += (((network(y + axis) - network(y - axis)) / (2 * step)) ** 2).sum(1)
        expected = (((network(y) - y) ** 2).sum(1) + 0.3 * slope).mean()
    torch.testing.assert_close(learner.loss(y), expected, rtol=1e-6, atol=1e-6)


def test_a_linear_contraction_is_ridge_regression_of_the_data_on_itself():
    mixed = DATA @ np.array([[1.0, 0.4], [0.0, 0.3]])
    linear = nn.Linear(2, 2)
    ContractiveAutoEncoder(linear, weight=0.1, steps=1500, rate=2e-2, batch_size=512).fit(mixed)
    covariance = np.cov(mixed.T)
    ridge = np.linalg.solve(covariance + 0.1 * np.eye(2), covariance).T
    np.testing.assert_allclose(linear.weight.detach().numpy(), ridge, atol=0.03)


def test_the_penalty_of_saturation_is_the_distance_from_the_flat_parts():
    learner = SaturatingAutoEncoder(weight=0.7, steps=3).fit(DATA)
    y = torch.randn(64, 2) * 2
    with torch.no_grad():
        activations = learner.network.encoder(y).numpy()
        restored = learner.network(y).numpy()
    flat = np.clip(np.minimum(np.abs(activations - 1), np.abs(activations + 1)), 0, None)
    flat[np.abs(activations) > 1] = 0
    expected = (((restored - y.numpy()) ** 2).sum(1) + 0.7 * flat.sum(1)).mean()
    assert 0 < flat.mean() < 1
    assert learner.loss(y).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("make", [ContractiveAutoEncoder, SaturatingAutoEncoder])
def test_the_weight_must_be_above_zero(make):
    with pytest.raises(UserError, match=r"weight: got 0\.0"):
        make(weight=0.0)

"""Sparse codes against scikit-learn's coordinate descent, energies against their formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.linear_model import Lasso
from torch import Tensor

from ebgan.energies import PSD, SparseAutoEncoder, SparseCoding
from ebgan.energies.fista import fista
from ebgan.energies.population import Population
from ebgan.energies.sparse import SHRINK, SparseNetwork
from ebgan.errors import UserError

DATA = np.random.default_rng(0).uniform(-1, 1, (300, 2))


def signals_and_dictionary() -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    signals = torch.randn(5, 12, dtype=torch.float64, generator=random)
    return signals, F.normalize(torch.randn(12, 20, dtype=torch.float64, generator=random), dim=0)


def lasso(signal: np.ndarray, matrix: np.ndarray, sparsity: float) -> np.ndarray:
    """The same minimum: scikit-learn's is ||x - W z||^2 / (2 D) + alpha ||z||_1."""
    alpha = sparsity / 2 / len(signal)
    return Lasso(alpha, fit_intercept=False, tol=1e-12, max_iter=100_000).fit(matrix, signal).coef_


def test_fista_finds_the_codes_of_coordinate_descent():
    signals, dictionary = signals_and_dictionary()
    codes = fista(signals, dictionary, 0.7, iterations=3000)
    expected = [lasso(signal, dictionary.numpy(), 0.7) for signal in signals.numpy()]
    np.testing.assert_allclose(codes.numpy(), expected, atol=1e-6)
    assert (codes == 0).any() and (codes != 0).any()


def test_fista_takes_the_steps_of_its_publication():
    signals, dictionary = signals_and_dictionary()
    y, w = signals.numpy(), dictionary.numpy()
    length = np.linalg.norm(w, 2) ** 2  # of half the gradient; the energy is ||y - w z||^2 + 0.7 ||z||_1
    before = ahead = np.zeros((5, 20))
    momentum = 1.0
    for iterations in range(1, 6):
        moved = ahead - (ahead @ w.T - y) @ w / length
        codes = np.sign(moved) * np.maximum(np.abs(moved) - 0.35 / length, 0)
        grown = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = codes + (momentum - 1) / grown * (codes - before)
        before, momentum = codes, grown
        found = fista(signals, dictionary, 0.7, iterations=iterations)
        np.testing.assert_allclose(found.numpy(), codes, atol=1e-12)


def test_the_prediction_is_a_part_of_the_inference():
    signals, dictionary = signals_and_dictionary()
    prediction = torch.randn(5, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    codes = fista(signals, dictionary, 0.7, iterations=3000, prediction=prediction, pull=0.5)
    # The distance from the prediction is one of more signals, seen through the identity.
    matrix = np.concatenate((dictionary.numpy(), np.sqrt(0.5) * np.eye(20)))
    targets = np.concatenate((signals.numpy(), np.sqrt(0.5) * prediction.numpy()), 1)
    expected = [lasso(target, matrix, 0.7) for target in targets]
    np.testing.assert_allclose(codes.numpy(), expected, atol=1e-6)


def test_codes_under_an_orthonormal_dictionary_are_shrunk_projections():
    rotation = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64)).Q
    signals = torch.randn(10, 6, dtype=torch.float64)
    expected = F.softshrink(signals @ rotation, 0.4)
    torch.testing.assert_close(fista(signals, rotation, 0.8, iterations=5), expected)


def test_a_population_answers_by_distance():
    population = Population(units=3, width=0.5, box=1.0)  # centres at -1, 0 and 1
    activity = population(torch.tensor([[0.0, 1.0]])).reshape(3, 3)
    expected = torch.exp(-torch.tensor([[5.0, 4, 5], [2, 1, 2], [1, 0, 1]]) / 0.5)
    torch.testing.assert_close(activity, expected)


@pytest.mark.parametrize("make", [SparseCoding, SparseAutoEncoder, PSD])
def test_energies_are_those_of_the_formula(make):
    learner = make(steps=20, sparsity=0.2).fit(DATA)
    x = learner.signals(torch.as_tensor(DATA[:40], dtype=torch.float32))
    raw, linear = learner.network.raw, learner.network.linear
    with torch.no_grad():
        w = raw / raw.norm(dim=0)
        z = linear(x)
        z = z.sign() * (z.abs() - SHRINK).clamp(min=0)
        extra = torch.zeros(40)
        if make is SparseCoding:
            z = fista(x, w, 0.2, iterations=2000)
        elif make is PSD:
            predicted, z = z, fista(x, w, 0.2, iterations=2000, prediction=z, pull=1.0)
            extra = ((z - predicted) ** 2).sum(1)
        expected = ((x - z @ w.T) ** 2).sum(1) + 0.2 * z.abs().sum(1) + extra
    np.testing.assert_allclose(learner.energy(DATA[:40]), expected.numpy(), rtol=2e-3)


def test_the_gradient_of_sparse_coding_is_that_of_its_minimum():
    learner = SparseCoding(atoms=5, sparsity=0.2, steps=1).fit(DATA)
    network = SparseNetwork(8, 5).double()
    learner.network = network
    signals = torch.randn(4, 8, dtype=torch.float64)

    def least() -> Tensor:
        codes = fista(signals, network.dictionary(), 0.2, iterations=5000)
        return learner._cost(signals, codes).sum()

    (gradient,) = torch.autograd.grad(least(), [network.raw])
    step = 1e-5
    for place in ((0, 0), (3, 2), (7, 4)):
        values = []
        for sign in (1, -1):
            with torch.no_grad():
                network.raw[place] += sign * step
                values.append(least().item())
                network.raw[place] -= sign * step
        assert gradient[place].item() == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-5)


def test_wrong_options_are_refused():
    for make, said in (
        (lambda: SparseCoding(atoms=0), "atoms: got 0"),
        (lambda: SparseAutoEncoder(sparsity=0.0), r"sparsity: got 0\.0"),
        (lambda: PSD(prediction=-1.0), r"prediction: got -1\.0"),
    ):
        with pytest.raises(UserError, match=said):
            make()

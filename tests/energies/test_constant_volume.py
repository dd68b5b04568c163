"""Strategy 1 against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from ebgan.energies import GMM, PCA, KMeans, SquareICA, grid, point_set
from ebgan.errors import UserError

RANDOM = np.random.default_rng(0)
ANYWHERE = RANDOM.uniform(-1.5, 1.5, (100, 2))


def test_pca_is_the_squared_distance_from_the_first_axis_of_the_covariance():
    points = RANDOM.normal(0, (3, 0.5), (500, 2)) @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + 2
    values, vectors = np.linalg.eigh(np.cov(points.T))
    across = (ANYWHERE - points.mean(0)) @ vectors[:, np.argmin(values)]
    np.testing.assert_allclose(PCA().fit(points).energy(ANYWHERE), across**2, atol=1e-12)


def test_k_means_is_the_squared_distance_from_the_nearest_of_clear_clusters():
    centres = np.array([[0, 0], [10, 0], [0, 10]])
    points = np.concatenate([centre + RANDOM.normal(0, 0.1, (50, 2)) for centre in centres])
    means = points.reshape(3, 50, 2).mean(1)
    nearest = ((ANYWHERE[:, None] - means) ** 2).sum(2).min(1)
    np.testing.assert_allclose(KMeans(3).fit(points).energy(ANYWHERE), nearest)


def test_one_gaussian_is_that_of_mean_and_covariance():
    points = RANDOM.normal((0.2, -0.1), (0.5, 0.2), (400, 2))
    covariance = np.cov(points.T, bias=True) + 1e-4 * np.eye(2)
    away = ANYWHERE - points.mean(0)
    exponent = 0.5 * np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
    expected = exponent + 0.5 * np.log(np.linalg.det(2 * np.pi * covariance))
    np.testing.assert_allclose(GMM(1).fit(points).energy(ANYWHERE), expected)


@pytest.mark.parametrize("learner", [GMM(5), SquareICA()], ids=["gmm", "square ICA"])
def test_densities_sum_to_one(learner):
    points = RANDOM.laplace(0, (0.3, 0.5), (800, 2)) @ np.array([[0.8, 0.6], [0.3, 0.9]])
    learner.fit(points)
    box, cells = 12.0, 1000
    area = (2 * box / cells) ** 2
    assert np.exp(-learner.energy(grid(cells, box))).sum() * area == pytest.approx(1, abs=1e-3)


def test_square_ica_finds_the_sources_of_a_known_mixture():
    mixing = np.array([[1.0, 0.5], [-0.3, 0.8]])
    sources = RANDOM.laplace(0, 1 / np.sqrt(2), (20_000, 2))
    energy = SquareICA().fit(sources @ mixing.T).energy
    of = RANDOM.normal(0, 1, (100, 2))
    log_cosh = np.log(2 * np.cosh(np.pi * of / 2)).sum(1)
    expected = log_cosh + np.log(abs(np.linalg.det(mixing)))
    np.testing.assert_allclose(energy(of @ mixing.T), expected, atol=0.15)


@pytest.mark.parametrize("make", [KMeans, GMM])
def test_the_seed_and_the_points_decide(make):
    points = point_set("moons", count=200).points
    energies = [make(10, seed=seed).fit(points).energy(ANYWHERE) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(energies[0], energies[1])
    assert not np.allclose(energies[0], energies[2])


@pytest.mark.parametrize("make", [KMeans, GMM])
def test_more_clusters_than_different_points_are_refused(make):
    points = [[0, 0], [1, 0], [0, 1]] * 10
    with pytest.raises(UserError, match="clusters: got 4 for 3 different points, allowed are 1 to 3"):
        make(4).fit(points)
    assert np.isfinite(make(3).fit(points).energy(points)).all()
    with pytest.raises(UserError, match="clusters: got 0, allowed are finite numbers from 1 up"):
        make(0)


def test_square_ica_needs_more_than_a_line():
    x = np.linspace(0, 1, 50)
    with pytest.raises(UserError, match="points: they lie on one line, square ICA needs"):
        SquareICA().fit(np.stack((x, 3 * x + 1), 1))

"""Strategy 1: machines that can give low energy to a fixed amount of the plane only.

Nothing pushes energies up: a line, K centres, K clouds or a density that sums to 1 cannot cover more.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ebgan.energies.learner import Learner
from ebgan.energies.points import Points
from ebgan.errors import UserError, at_least, require

ITERATIONS = 2000  # of FastICA, which needs some tens where it can find the directions at all


class PCA(Learner):
    """E(y) = ||W^T W (y - mean) - (y - mean)||^2, W the one direction of largest variance; y is (2,).

    The energy is 0 on a whole line, as far as it goes.
    """

    def _learn(self, points: Points) -> Iterator[None]:
        self._pca = require("sklearn.decomposition").PCA(n_components=1).fit(points)
        yield

    def _energy(self, points: Points) -> NDArray[np.float64]:
        restored = self._pca.inverse_transform(self._pca.transform(points))
        return np.asarray(((restored - points) ** 2).sum(1))


class KMeans(Learner):
    """E(y) = min_k ||y - W_k||^2 with K = `clusters` centres W_k: the code of y is one of K."""

    def __init__(self, clusters: int = 20, *, seed: int = 0) -> None:
        at_least("clusters", clusters, 1)
        self.clusters, self.seed = clusters, seed

    def _learn(self, points: Points) -> Iterator[None]:
        _require_distinct(points, self.clusters)
        kmeans = require("sklearn.cluster").KMeans(self.clusters, n_init=4, random_state=self.seed)
        self._kmeans = kmeans.fit(points)
        yield

    def _energy(self, points: Points) -> NDArray[np.float64]:
        return np.asarray(self._kmeans.transform(points).min(1) ** 2)


class GMM(Learner):
    """E(y) = -log sum_k pi_k N(y; mu_k, S_k), K = `clusters` Gaussians with covariances of their own."""

    def __init__(self, clusters: int = 20, *, seed: int = 0) -> None:
        at_least("clusters", clusters, 1)
        self.clusters, self.seed = clusters, seed

    def _learn(self, points: Points) -> Iterator[None]:
        _require_distinct(points, self.clusters)
        mixture = require("sklearn.mixture").GaussianMixture(
            self.clusters, random_state=self.seed, reg_covar=1e-4, max_iter=500
        )
        self._mixture = mixture.fit(points)
        yield

    def _energy(self, points: Points) -> NDArray[np.float64]:
        return np.asarray(-self._mixture.score_samples(points))


class SquareICA(Learner):
    """E(y) = sum_i (log 2 + log cosh(pi s_i / 2)) - log |det W|, s = W (y - mean); W is square, 2 x 2.

    That is -log of a density: of independent sources s_i of variance 1 with the heavy-tailed density
    1 / (2 cosh(pi s / 2)).
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def _learn(self, points: Points) -> Iterator[None]:
        centred = points - points.mean(0)
        if np.linalg.matrix_rank(centred, tol=1e-6 * float(np.linalg.norm(centred))) < 2:
            raise UserError("points: they lie on one line, square ICA needs points that fill the plane")
        fast_ica = require("sklearn.decomposition").FastICA(
            whiten="unit-variance", random_state=self.seed, max_iter=ITERATIONS
        )
        self._ica = fast_ica.fit(points)
        yield

    def _energy(self, points: Points) -> NDArray[np.float64]:
        sources = self._ica.transform(points)
        log_cosh = np.logaddexp(np.pi * sources / 2, -np.pi * sources / 2)  # log 2 + log cosh
        return np.asarray(log_cosh.sum(1) - np.linalg.slogdet(self._ica.components_)[1])


def _require_distinct(points: Points, clusters: int) -> None:
    if (distinct := len(np.unique(points, axis=0))) < clusters:
        raise UserError(
            f"clusters: got {clusters} for {distinct} different points, allowed are 1 to {distinct}"
        )

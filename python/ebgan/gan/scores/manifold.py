"""Precision, recall, density and coverage: how far two sets of features reach over each other.

Each feature vector has a ball around it that reaches to its k-th nearest neighbour of the same set:

    B_k(x) = {z : |z - x| <= distance of x to its k-th nearest neighbour in X}

    precision = share of the samples in some ball of a real image        (Kynkaanniemi et al., k = 3)
    recall    = share of the real images in some ball of a sample
    density   = mean over samples of (real balls that it lies in) / k    (Naeem et al., k = 5)
    coverage  = share of the real balls that hold some sample

Precision and density tell whether samples look real, recall and coverage whether all that is real is drawn.
One real image far from all others has a ball that swallows bad samples: it spoils precision, hardly density.
Density is no share and may exceed 1; two sets of one distribution have 1 on average, and a coverage of
1 - 2^-5 = 0.97 where they are large and of equal size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ebgan.errors import at_least
from ebgan.gan.scores.features import check_features

PRECISION_NEIGHBOURS, DENSITY_NEIGHBOURS = 3, 5  # the papers' own
_ROWS = 500  # of the matrix of distances at a time: 40 MB beside 10,000 images


@dataclass(frozen=True)
class ManifoldScores:
    """The four scores of one set of samples against real images; higher is better in each."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold_scores(
    features: Tensor,
    real_features: Tensor,
    *,
    precision_neighbours: int = PRECISION_NEIGHBOURS,
    density_neighbours: int = DENSITY_NEIGHBOURS,
) -> ManifoldScores:
    """Precision, recall, density and coverage of samples; see the module for the formulas.

    Distances are float64. In sets of fewer than k + 1 the balls reach to the farthest neighbour.

    Args:
        features: (N, D) of the samples, floating, N at least 2.
        real_features: (M, D), on the same device, M at least 2.
        precision_neighbours: k of precision and recall.
        density_neighbours: k of density and coverage.

    Raises:
        UserError: a set has fewer than two images, features have another shape, or a k is below 1.

    Source: Kynkaanniemi, Karras, Laine, Lehtinen, Aila, arXiv:1904.06991; Naeem, Oh, Uh, Choi, Yoo,
    arXiv:2002.09797.

    Example:
        >>> x, y = torch.randn(300, 8), torch.randn(300, 8)
        >>> near, far = manifold_scores(x, y), manifold_scores(x + 9, y)
        >>> near.precision > 0.5 and near.coverage > 0.8, far.precision, far.coverage
        (True, 0.0, 0.0)
    """
    check_features(features, real_features)
    at_least("precision_neighbours", precision_neighbours, 1)
    at_least("density_neighbours", density_neighbours, 1)
    samples, real = features.double(), real_features.double()
    precise, dense = radii(real, precision_neighbours, density_neighbours)
    (sampled,) = radii(samples, precision_neighbours)

    balls = realistic = 0
    covered, recalled = torch.zeros_like(dense, dtype=torch.bool), torch.zeros_like(dense, dtype=torch.bool)
    for distances, reach in zip(_distances(samples, real), sampled.split(_ROWS), strict=True):
        realistic += int((distances <= precise).any(1).sum())
        recalled |= (distances <= reach[:, None]).any(0)
        in_ball = distances <= dense
        balls += int(in_ball.sum())
        covered |= in_ball.any(0)
    # A ball of a set that is smaller than k + 1 holds its other members, len - 1 of them.
    held = min(density_neighbours, len(real) - 1)
    return ManifoldScores(
        precision=realistic / len(samples),
        recall=recalled.double().mean().item(),
        density=balls / (held * len(samples)),
        coverage=covered.double().mean().item(),
    )


def radii(points: Tensor, *neighbours: int) -> list[Tensor]:
    """For each k the distances (N,) of the points (N, D) to their k-th nearest neighbour among the others."""
    most = min(max(neighbours), len(points) - 1) + 1  # each point is its own nearest
    parts = [distances.topk(most, 1, largest=False).values for distances in _distances(points, points)]
    nearest = torch.cat(parts)
    return [nearest[:, min(k, most - 1)] for k in neighbours]


def _distances(points: Tensor, others: Tensor) -> Iterator[Tensor]:
    for part in points.split(_ROWS):
        # By differences: through the matrix product equal points would lie 1e-8 apart, outside their balls.
        yield torch.cdist(part, others, compute_mode="donot_use_mm_for_euclid_dist")

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ebgan.errors import UserError
from ebgan.gan.scores import kernel_inception_distance
from support.errors import assert_refused


def brute_force(x: Tensor, y: Tensor) -> float:
    def kernel(a: Tensor, b: Tensor) -> float:
        return (sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    same_x = sum(kernel(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    same_y = sum(kernel(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    across = sum(kernel(x[i], y[j]) for i in range(n) for j in range(m)) / (n * m)
    return same_x + same_y - 2 * across


def test_over_the_whole_of_two_sets_it_is_the_sum_over_their_pairs():
    x, y = torch.randn(6, 3, dtype=torch.float64), 1 + torch.randn(6, 3, dtype=torch.float64)
    found = kernel_inception_distance(x, y, subsets=3, subset_size=6)
    assert found.mean == pytest.approx(brute_force(x, y), rel=1e-12)
    assert found.std is None and str(found) == f"{found.mean:.4g}"


@pytest.mark.parametrize(
    ("sizes", "options", "deviates"),
    [
        ((6, 6), {}, False),
        ((6, 6), {"subset_size": 5}, True),
        ((6, 9), {}, True),
        ((6, 9), {"subsets": 1}, False),
    ],
)
def test_one_subset_or_the_same_one_every_time_has_no_deviation(sizes, options, deviates):
    x, y = (torch.randn(size, 3) for size in sizes)
    found = kernel_inception_distance(x, y, **options)
    assert (found.std is not None) is deviates and ("±" in str(found)) is deviates


def test_mean_and_deviation_over_subsets_are_those_of_the_single_subsets():
    x, y = torch.randn(40, 5), torch.randn(50, 5)
    singles = torch.tensor(
        [kernel_inception_distance(x, y, subsets=1, subset_size=8, seed=seed).mean for seed in range(400)]
    )
    many = kernel_inception_distance(x, y, subsets=400, subset_size=8, seed=1000)
    assert many.mean == pytest.approx(singles.mean().item(), abs=5 * many.std / 400**0.5)
    assert many.std == pytest.approx(singles.std().item(), rel=0.2)


def test_two_halves_of_one_distribution_are_as_often_below_zero_as_above():
    distances = []
    for _ in range(60):
        features = torch.randn(400, 8)
        distances.append(kernel_inception_distance(features[:200], features[200:], subsets=1).mean)
    assert 15 <= sum(distance > 0 for distance in distances) <= 45
    assert abs(sum(distances) / 60) < 0.05


def test_the_sets_may_differ_in_size_and_the_smaller_one_limits_the_subsets():
    x, y = torch.randn(7, 4), torch.randn(90, 4)
    found = kernel_inception_distance(x, y, subset_size=50)
    assert found == kernel_inception_distance(x, y, subset_size=7)


def test_one_seed_gives_one_result_and_another_seed_another():
    x, y = torch.randn(30, 4), torch.randn(30, 4)
    results = [kernel_inception_distance(x, y, subset_size=10, seed=seed) for seed in (0, 0, 1)]
    assert results[0] == results[1] != results[2]


def test_it_is_computed_in_float64():
    x, y = 300 + torch.rand(50, 4), 300 + torch.rand(50, 4)
    found = kernel_inception_distance(x, y, subset_size=20).mean
    assert found == kernel_inception_distance(x.double(), y.double(), subset_size=20).mean


@pytest.mark.parametrize(
    ("x", "y", "options", "fragments"),
    [
        ((4, 3), (4, 2), {}, ["features", "(4, 3)", "(4, 2)"]),
        ((4,), (4, 2), {}, ["(4,)", "(N, D)"]),
        ((1, 2), (4, 2), {}, ["features", "got 1", "from 2 up"]),
        ((4, 2), (0, 2), {}, ["features", "got 0", "from 2 up"]),
        ((4, 2), (4, 2), {"subset_size": 1}, ["subset_size: got 1"]),
        ((4, 2), (4, 2), {"subsets": 0}, ["subsets: got 0"]),
    ],
)
def test_wrong_sets_are_refused(x, y, options, fragments):
    assert_refused(
        lambda: kernel_inception_distance(torch.zeros(x), torch.zeros(y), **options), UserError, fragments
    )

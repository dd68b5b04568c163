from __future__ import annotations

import pytest
import torch

from ebgan.errors import UserError
from ebgan.gan.scores.manifold import manifold_scores, radii
from support.errors import assert_refused


def line(*places: float) -> torch.Tensor:
    return torch.tensor(places, dtype=torch.float32)[:, None]


def test_scores_on_a_line_are_those_worked_out_by_hand():
    # Real images at 0, 1, 3 and 10. To their nearest neighbours: 1, 1, 2, 7; to the second: 3, 2, 3, 9.
    # Samples at 0.5, 4 and 30; to their nearest: 3.5, 3.5, 26; to the second: 29.5, 26, 29.5.
    real, samples = line(0, 1, 3, 10), line(0.5, 4, 30)
    nearest, second = radii(real, 1, 2)
    assert nearest.tolist() == [1, 1, 2, 7] and second.tolist() == [3, 2, 3, 9]
    scores = manifold_scores(samples, real, precision_neighbours=1, density_neighbours=1)
    # Balls [-1,1], [0,2], [1,5], [3,17]: 0.5 lies in two, 4 in two, 30 in none.
    assert scores.precision == pytest.approx(2 / 3)
    assert scores.density == pytest.approx((2 + 2 + 0) / 3)
    assert scores.coverage == 1.0  # every ball holds 0.5 or 4
    # Balls of samples [-3,4], [0.5,7.5], [4,56]: 0, 1, 3 and 10 all lie in one.
    assert scores.recall == 1.0
    wider = manifold_scores(samples, real, precision_neighbours=2, density_neighbours=2)
    # Balls [-3,3], [-1,3], [0,6], [1,19]: 0.5 in three, 4 in two, 30 in none; over k = 2 and 3 samples.
    assert wider.density == pytest.approx((3 + 2 + 0) / 6) and wider.precision == pytest.approx(2 / 3)


def test_samples_of_one_mode_are_precise_and_recall_and_cover_little():
    real = torch.cat([line(0, 1, 2, 3), line(100, 101, 102, 103)])
    scores = manifold_scores(line(0.4, 0.5, 0.6, 0.7), real, precision_neighbours=1, density_neighbours=1)
    assert scores.precision == 1.0
    assert scores.recall == 0.0  # samples lie 0.1 from each other, and no real image so near
    assert scores.coverage == 2 / 8  # the balls of 0 and 1, which reach 1 to each side


def test_one_outlier_spoils_precision_and_hardly_density():
    real = torch.cat([line(*range(20)), line(1000)])
    bad = line(500.0, 700.0, 900.0)
    scores = manifold_scores(bad, real)
    assert scores.precision == 1.0 and scores.density <= 1 / 5 and scores.coverage == pytest.approx(1 / 21)


def test_a_set_against_itself_has_all_points_in_all_their_neighbours_balls():
    points = torch.randn(700, 4, generator=torch.Generator().manual_seed(0))
    scores = manifold_scores(points, points)
    assert (scores.precision, scores.recall, scores.coverage) == (1.0, 1.0, 1.0)
    # Each ball holds its centre and its five nearest.
    assert scores.density == pytest.approx(6 / 5)


def test_equal_points_lie_in_balls_of_radius_zero():
    scores = manifold_scores(torch.full((9, 3), 0.1), torch.full((8, 3), 0.1))
    assert (scores.precision, scores.recall, scores.coverage) == (1.0, 1.0, 1.0)


def test_two_sets_of_one_distribution_have_the_published_expectations():
    random = torch.Generator().manual_seed(1)
    x, y = torch.randn(1200, 3, generator=random), torch.randn(1200, 3, generator=random)
    scores = manifold_scores(x, y)
    assert scores.density == pytest.approx(1, abs=0.08)
    assert scores.coverage == pytest.approx(1 - 2**-5, abs=0.02)


def test_the_scores_do_not_depend_on_the_scale_nor_on_the_order():
    random = torch.Generator().manual_seed(2)
    x, y = torch.randn(40, 3, generator=random), torch.randn(50, 3, generator=random) + 0.5
    assert manifold_scores(x, y) == manifold_scores(x.flip(0) * 1024, y.flip(0) * 1024)


@pytest.mark.parametrize(
    ("shapes", "options", "fragment"),
    [
        (((4, 3), (4, 2)), {}, "features: got (4, 3) and real_features (4, 2)"),
        (((4,), (4, 2)), {}, "features: got (4,)"),
        (((1, 2), (4, 2)), {}, "features (their count): got 1"),
        (((4, 2), (4, 2)), {"precision_neighbours": 0}, "precision_neighbours: got 0"),
        (((4, 2), (4, 2)), {"density_neighbours": 0}, "density_neighbours: got 0"),
    ],
)
def test_what_has_no_neighbours_is_refused(shapes, options, fragment):
    assert_refused(lambda: manifold_scores(*map(torch.zeros, shapes), **options), UserError, [fragment])

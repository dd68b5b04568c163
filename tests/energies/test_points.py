from __future__ import annotations

import numpy as np
import pytest

from ebgan.energies import grid, scaled
from ebgan.energies.points import as_data, as_points, require_in_box, shares
from ebgan.errors import UserError

WRONG = {
    "one": ([[0.5, 0.5]], "points: got 1, an energy is learned from at least 2"),
    "none": (np.empty((0, 2)), "points: got 0, an energy is learned from at least 2"),
    "nan": ([[0, 0], [1, np.nan], [2, 1]], "points: 1 of 3 are NaN or infinite; leave them out"),
    "infinite": ([[0, -np.inf], [np.inf, 1], [2, 1]], "points: 2 of 3 are NaN or infinite; leave them out"),
    "constant": ([[0.5, 2]] * 7, r"points: all 7 are \(0.5, 2\), an energy is learned from ones that differ"),
    "3-D": (np.zeros((9, 3)), r"points: got shape \(9, 3\), allowed is \(N, 2\), N points of the plane"),
    "a vector": ([1.0, 2.0], r"points: got shape \(2,\), allowed is \(N, 2\), N points of the plane"),
    "words": ([["a", "b"], ["c", "d"]], "points: they are not an array of numbers, allowed is"),
    "ragged": ([[1, 2], [3]], "points: they are not an array of numbers, allowed is"),
}


@pytest.mark.parametrize(("points", "said"), WRONG.values(), ids=WRONG)
def test_what_nothing_can_be_learned_from_is_refused_in_one_line(points, said):
    with pytest.raises(UserError, match=said) as caught:
        as_data(points)
    assert "\n" not in str(caught.value)


def test_an_energy_may_be_asked_of_one_point_and_of_equal_points():
    assert as_points([[1, 2]]).dtype == np.float64
    assert as_points([[1, 2], [1, 2]]).shape == (2, 2)


def test_scaling_keeps_the_shape_and_puts_the_longer_side_from_minus_one_to_one():
    points = np.random.default_rng(0).normal((50, -7), (30, 10), (200, 2))
    moved = scaled(points)
    assert moved.min(0)[0] == pytest.approx(-1) and moved.max(0)[0] == pytest.approx(1)
    np.testing.assert_allclose(moved.min(0), -moved.max(0))
    factor = np.ptp(points[:, 0]) / 2
    np.testing.assert_allclose(
        factor * np.linalg.norm(moved[1:] - moved[:-1], axis=1),
        np.linalg.norm(np.diff(points, axis=0), axis=1),
    )


def test_points_outside_of_the_box_are_refused_with_the_remedy():
    require_in_box(np.array([[1.5, -1.5]]), 1.5)
    with pytest.raises(
        UserError, match=r"a coordinate is 1\.6 from 0, at most 1\.5 is allowed; use ebgan\.en"
    ):
        require_in_box(np.array([[0, -1.6]]), 1.5)


def test_a_grid_fills_the_box_evenly():
    points = grid(40, box=2.0)
    assert points.shape == (1600, 2)
    np.testing.assert_allclose(points.mean(0), 0, atol=1e-12)
    area = (4 / 40) ** 2
    assert (points[:, 0] ** 2).sum() * area == pytest.approx(4 * 2 * 8 / 3, rel=1e-3)  # the integral of x^2


def test_shares_are_of_the_cells_of_the_grid():
    centres = grid(5, box=2.0)
    for number, centre in enumerate(centres):
        of_one = shares(centre[None] + 0.39, 5, box=2.0)
        assert of_one[number] == 1 and of_one.sum() == 1
    random = np.random.default_rng(0).uniform(-3, 3, (1000, 2))
    both = shares(random, 5, box=2.0)
    edges = np.linspace(-2, 2, 6)
    x, y = random.clip(-2, 2).T  # what lies beyond the box is in the nearest cell
    np.testing.assert_allclose(both.reshape(5, 5), np.histogram2d(y, x, bins=edges)[0] / 1000)

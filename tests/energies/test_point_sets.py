from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from ebgan.energies import PointSet, SetName, from_csv, point_set
from ebgan.errors import UserError

NAMES = get_args(SetName)


def distance_from_curve(name: str, points: np.ndarray) -> np.ndarray:
    """How far each point is from the curve of the set, by a dense sample of the curve's own equation."""
    t = np.linspace(0, 1, 20001)
    x = 2 * t - 1
    angle = 2 * np.pi * t
    circle = np.stack((np.cos(angle), np.sin(angle)), 1)
    curves = {
        "line": np.stack((x, 0.5 * x), 1),
        "parabola": np.stack((x, x * x), 1),
        "spiral": 0.95 * t[:, None] * np.stack((np.cos(1.5 * angle), np.sin(1.5 * angle)), 1),
        "moons": np.concatenate([0.6 * circle[10000:] + (0.3, 0.15), 0.6 * circle[:10001] - (0.3, 0.15)]),
        "rings": np.concatenate((0.4 * circle, 0.9 * circle)),
        "gaussians": 0.8 * circle[:20000:2500],
    }
    near = np.linalg.norm(points[:, None] - curves[name][None, :: 10 if len(curves[name]) > 8 else 1], axis=2)
    return near.min(1)


@pytest.mark.parametrize("name", NAMES)
def test_a_set_lies_on_its_curve_and_in_the_square(name):
    data = point_set(name, count=300, seed=3)
    assert data.points.shape == data.held_out.shape == (300, 2) and data.name == name
    far = distance_from_curve(name, np.concatenate((data.points, data.held_out)))
    deviation = 0.06 if name == "gaussians" else 0.02
    assert far.max() < 4.5 * deviation
    # A normal deviate of one dimension beside a curve, of two around a centre.
    assert (far**2).mean() == pytest.approx(deviation**2 * (2 if name == "gaussians" else 1), rel=0.2)
    assert np.abs(data.points).max() < 1.1


@pytest.mark.parametrize("name", NAMES)
def test_a_set_is_a_function_of_its_seed(name):
    again, other = point_set(name, count=50, seed=1), point_set(name, count=50, seed=2)
    np.testing.assert_array_equal(point_set(name, count=50, seed=1).points, again.points)
    assert not np.isin(again.points, other.points).any()
    assert not np.isin(again.points, again.held_out).any()


def test_points_off_the_data_are_as_far_as_is_said_and_uniform_elsewhere():
    data = point_set("spiral", count=300)
    off = data.off(4000, distance=0.3, seed=5)
    everything = np.concatenate((data.points, data.held_out))
    nearest = np.linalg.norm(off[:, None] - everything[None], axis=2).min(1)
    assert off.shape == (4000, 2) and nearest.min() >= 0.3 and nearest.max() > 0.7
    corners = (np.abs(off) > 1.2).all(1).mean()  # every corner is far from the spiral
    uniform = np.random.default_rng(0).uniform(-1.5, 1.5, (100_000, 2))
    far = np.array([np.linalg.norm(everything - y, axis=1).min() for y in uniform[:4000]]) >= 0.3
    assert corners == pytest.approx(0.04 / far.mean(), rel=0.25)


def test_a_set_that_fills_the_box_has_no_points_off_it():
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (5000, 2))
    with pytest.raises(UserError, match=r"distance: almost no point of the box is 0\.4 or more from"):
        PointSet("full", points, points[:1]).off(100, distance=0.4)


def test_unknown_sets_and_counts_are_refused():
    with pytest.raises(UserError, match=r"data: got 'spirl', allowed are line, .*; did you mean spiral\?"):
        point_set("spirl")
    with pytest.raises(UserError, match="count: got 1, allowed are finite numbers from 2 up"):
        point_set("spiral", count=1)


@pytest.mark.parametrize("head", ["", "x,y\n"])
def test_a_csv_file_is_scaled_and_split(tmp_path, head):
    points = np.random.default_rng(0).normal(40, (20, 5), (100, 2))
    path = tmp_path / "mine.csv"
    path.write_text(head + "".join(f"{x},{y}\n" for x, y in points) + "\n")
    data = from_csv(path, seed=1)
    assert data.name == "mine" and data.points.shape == (80, 2) and data.held_out.shape == (20, 2)
    everything = np.concatenate((data.points, data.held_out))
    assert np.abs(everything).max() == pytest.approx(1)
    middle, half = (points.min(0) + points.max(0)) / 2, np.ptp(points, 0).max() / 2
    np.testing.assert_allclose(np.sort(everything * half + middle, 0), np.sort(points, 0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "points: got 0, an energy is learned from at least 2"),
        ("x,y\n1,2\n", "points: got 1, an energy is learned from at least 2"),
        ("1,2,3\n4,5,6\n", r"points: got shape \(2, 3\)"),
        ("1,2\n1,2\n", r"points: all 2 are \(1, 2\)"),
        ("1,2\n3,nan\n", "points: 1 of 2 are NaN or infinite"),
        ("x,y\n1,2\n3,four\n", "has no two numbers in every line"),
        ("1,2\n3\n", "has no two numbers in every line"),
    ],
)
def test_a_csv_file_of_anything_else_is_refused_by_its_name(tmp_path, text, said):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=f"csv: .*mine.csv.*{said}") as caught:
        from_csv(path)
    assert "\n" not in str(caught.value)


def test_a_csv_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"csv: .*no\.csv cannot be read \(No such file"):
        from_csv(tmp_path / "no.csv")

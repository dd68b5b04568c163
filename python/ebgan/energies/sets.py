"""Sets of points to learn an energy from, by name or from a CSV file, and points off them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from ebgan.energies.points import BOX, Points, as_points, scaled
from ebgan.errors import UserError, at_least, one_of, reason, require
from ebgan.files import StrPath

SetName = Literal["line", "parabola", "spiral", "moons", "rings", "gaussians"]
NOISE = 0.02  # standard deviation of the points around their curve
DISTANCE = 0.15  # the least distance of a point "off the data" from every point of the set
TRIES = 100  # batches of candidates for points off the data, before the set is said to fill the box


@dataclass(frozen=True)
class PointSet:
    """Points (N, 2) to learn from, and points (M, 2) of the same kind that are held out to be scored."""

    name: str
    points: Points
    held_out: Points

    def off(self, count: int, *, distance: float = DISTANCE, seed: int = 0) -> Points:
        """`count` points, uniform in the box, that are at least `distance` from every point of the set.

        Raises:
            UserError: hardly any part of the box is so far from the set.
        """
        tree = require("sklearn.neighbors").KDTree(np.concatenate((self.points, self.held_out)))
        random, found, total = np.random.default_rng(seed), [], 0
        for _ in range(TRIES):
            candidates = random.uniform(-BOX, BOX, (count, 2))
            found.append(candidates[tree.query(candidates)[0][:, 0] >= distance])
            total += len(found[-1])
            if total >= count:
                return np.concatenate(found)[:count]
        raise UserError(f"distance: almost no point of the box is {distance:g} or more from the points")


def point_set(name: SetName, *, count: int = 1000, seed: int = 0) -> PointSet:
    """`count` points of a set to learn from, and as many that are held out.

    "line": Y2 = Y1 / 2; "parabola": Y2 = Y1^2; "spiral": almost one and a half turns; "moons": two half
    circles; "rings": two circles; "gaussians": eight round clouds. Points lie from -1 to 1, and scatter
    around their curve with a standard deviation of 0.02, those of a cloud with 0.06 in each direction.

    Raises:
        UserError: the name is not known, or `count` is below 2.

    Example:
        >>> point_set("parabola", count=200).points.shape
        (200, 2)
    """
    one_of("data", name, get_args(SetName))
    at_least("count", count, 2)
    random = np.random.default_rng(seed)
    both = _MAKERS[name](2 * count, random)
    return PointSet(name, both[:count], both[count:])


def from_csv(path: StrPath, *, seed: int = 0) -> PointSet:
    """The set in a CSV file of two columns, with or without a line of names; scaled to lie from -1 to 1.

    A fifth of the points, chosen by `seed`, is held out.

    Raises:
        UserError: the file cannot be read, or holds anything else than enough points of the plane.
    """
    try:
        lines = [line for line in Path(path).read_text().splitlines() if line.strip()]
        lines = lines[1:] if lines and not _numbers(lines[0]) else lines
        points = as_points(np.loadtxt(lines, delimiter=",", ndmin=2) if lines else np.empty((0, 2)))
        scaled_points = scaled(points)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"csv: {path} cannot be read ({reason(error)}); name a file of points") from None
    except UserError as error:
        raise UserError(f"csv: {path}: {error}") from None
    except ValueError as error:
        raise UserError(f"csv: {path} has no two numbers in every line ({reason(error)})") from None
    order = np.random.default_rng(seed).permutation(len(points))
    held = max(1, len(points) // 5)
    return PointSet(Path(path).stem, scaled_points[order[held:]], scaled_points[order[:held]])


def _numbers(line: str) -> bool:
    try:
        [float(word) for word in line.split(",")]
    except ValueError:
        return False
    return True


def _scattered(points: Points, random: np.random.Generator) -> Points:
    return points + NOISE * random.standard_normal(points.shape)


def _line(count: int, random: np.random.Generator) -> Points:
    x = random.uniform(-1, 1, count)
    return _scattered(np.stack((x, x / 2), 1), random)


def _parabola(count: int, random: np.random.Generator) -> Points:
    x = random.uniform(-1, 1, count)
    return _scattered(np.stack((x, x**2), 1), random)


def _spiral(count: int, random: np.random.Generator) -> Points:
    along = np.sqrt(random.uniform(0.01, 1, count))  # the root spreads points evenly along the curve
    angle = 3 * np.pi * along
    return _scattered(0.95 * along[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1), random)


def _moons(count: int, random: np.random.Generator) -> Points:
    angle, side = random.uniform(0, np.pi, count), random.choice([-1.0, 1.0], count)
    x = 0.6 * np.cos(angle) + 0.3 * side
    return _scattered(np.stack((x, side * (0.15 - 0.6 * np.sin(angle))), 1), random)


def _rings(count: int, random: np.random.Generator) -> Points:
    angle = random.uniform(0, 2 * np.pi, count)
    radius = random.choice([0.4, 0.9], count, p=[4 / 13, 9 / 13])  # as dense on both
    return _scattered(radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1), random)


def _gaussians(count: int, random: np.random.Generator) -> Points:
    angle = random.integers(8, size=count) * np.pi / 4
    return 0.8 * np.stack((np.cos(angle), np.sin(angle)), 1) + 0.06 * random.standard_normal((count, 2))


_MAKERS: dict[SetName, Callable[[int, np.random.Generator], Points]] = {
    "line": _line,
    "parabola": _parabola,
    "spiral": _spiral,
    "moons": _moons,
    "rings": _rings,
    "gaussians": _gaussians,
}

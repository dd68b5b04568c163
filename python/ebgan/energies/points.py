"""Points of the plane: what is asked of them, and the box that holds them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ebgan.errors import UserError

Points = NDArray[np.float64]  # (N, 2)

BOX = 1.5  # energies are looked at from -BOX to BOX in both coordinates; data lies from -1 to 1
SHAPE = "allowed is (N, 2), N points of the plane"


def as_points(points: ArrayLike) -> Points:
    """`points` as a float64 array of shape (N, 2).

    Raises:
        UserError: they have another shape, are no numbers, or are not finite.
    """
    try:
        array = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError):
        raise UserError(f"points: they are not an array of numbers, {SHAPE}") from None
    if array.ndim != 2 or array.shape[1] != 2:
        raise UserError(f"points: got shape {tuple(array.shape)}, {SHAPE}")
    if bad := int((~np.isfinite(array)).any(1).sum()):
        raise UserError(f"points: {bad} of {len(array)} are NaN or infinite; leave them out")
    return array


def as_data(points: ArrayLike) -> Points:
    """`points` that an energy can be learned from.

    Raises:
        UserError: as `as_points`, or there are fewer than two, or all are the same.
    """
    array = as_points(points)
    if len(array) < 2:
        raise UserError(f"points: got {len(array)}, an energy is learned from at least 2")
    if (array == array[0]).all():
        x, y = array[0]
        raise UserError(
            f"points: all {len(array)} are ({x:g}, {y:g}), an energy is learned from ones that differ"
        )
    return array


def require_in_box(points: Points, box: float) -> None:
    """Raise `UserError` unless all `points` lie from -`box` to `box` in both coordinates."""
    if (np.abs(points) > box).any():
        most = np.abs(points).max()
        raise UserError(
            f"points: a coordinate is {most:g} from 0, at most {box:g} is allowed; use ebgan.energies.scaled"
        )


def scaled(points: ArrayLike) -> Points:
    """`points` (N, 2), moved and scaled alike in both coordinates so that the longer one goes from -1 to 1.

    Example:
        >>> scaled([[0, 0], [4, 2]]).tolist()
        [[-1.0, -0.5], [1.0, 0.5]]
    """
    array = as_data(points)
    low, high = array.min(0), array.max(0)
    return np.asarray((array - (low + high) / 2) / ((high - low).max() / 2))


def grid(cells: int, box: float = BOX) -> Points:
    """The centres of `cells` times `cells` equal squares that fill the box, row by row from below.

    Example:
        >>> grid(2, box=1.0).tolist()
        [[-0.5, -0.5], [0.5, -0.5], [-0.5, 0.5], [0.5, 0.5]]
    """
    centres = ((np.arange(cells) + 0.5) / cells * 2 - 1) * box
    x, y = np.meshgrid(centres, centres)
    return np.stack((x.ravel(), y.ravel()), 1)


def shares(points: Points, cells: int, box: float = BOX) -> NDArray[np.float64]:
    """The share of `points` (N, 2) in each square of `grid` (cells^2,); beyond the box, in the nearest.

    Example:
        >>> shares(np.array([[-0.5, -0.5], [0.5, 0.5], [9.0, 0.1], [-0.1, 0.3]]), 2, box=1.0).tolist()
        [0.25, 0.0, 0.25, 0.5]
    """
    column, row = ((points / box + 1) / 2 * cells).astype(int).clip(0, cells - 1).T
    return np.bincount(row * cells + column, minlength=cells**2) / len(points)

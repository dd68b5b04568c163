"""Pictures of solid primitives, in parallel projection: what the pose sets of the package are drawn with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]
Array = NDArray[np.float32]

SAMPLES = 2  # rays along each axis of a pixel, averaged
_PARALLEL = 1e-6  # the least component of a direction, so that no division is by zero


@dataclass(frozen=True)
class Solid:
    """A box, an ellipsoid, or a cylinder around its third axis, in a space whose third axis points up.

    `half` has its half lengths along its own axes, which the columns of `axes` are.
    """

    kind: Literal["box", "ellipsoid", "cylinder"]
    centre: Vector
    half: Vector
    axes: Array


def turned(axis: int, degrees: float) -> Array:
    """The axes of a solid that is turned around axis 0, 1 or 2."""
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    first, second = (axis + 1) % 3, (axis + 2) % 3
    axes = np.eye(3, dtype=np.float32)
    axes[[first, second], [first, second]] = cosine
    axes[second, first], axes[first, second] = sine, -sine
    return axes


def camera(azimuth: float, elevation: float) -> Array:
    """The camera's axes as rows: to its right, up, and from the scene to the camera; angles in degrees."""
    turn, rise = np.deg2rad(azimuth), np.deg2rad(elevation)
    return np.array(
        [
            [-np.sin(turn), np.cos(turn), 0],
            [-np.sin(rise) * np.cos(turn), -np.sin(rise) * np.sin(turn), np.cos(rise)],
            [np.cos(rise) * np.cos(turn), np.cos(rise) * np.sin(turn), np.sin(rise)],
        ],
        np.float32,
    )


def rendered(
    solids: Sequence[Solid], view: Array, lights: Array, size: int, *, ambient: float, background: float
) -> NDArray[np.uint8]:
    """The scene within the unit ball as `view`, a `camera`, sees it under L lights: uint8 (L, size, size).

    A surface of normal n has the brightness ambient + (1 - ambient) max(0, n l), l being a row of `lights`
    (L, 3), unit vectors towards the light. Nothing throws a shadow.
    """
    rays = size * SAMPLES
    places = ((np.arange(rays, dtype=np.float32) + 0.5) / rays * 2 - 1).astype(np.float32)
    nearest = np.full((rays, rays), -np.inf, np.float32)
    normals = np.zeros((rays, rays, 3), np.float32)
    for solid in solids:
        _draw(solid, view, places, nearest, normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), _PARALLEL)
    bright = ambient + (1 - ambient) * (normals @ lights.T).clip(min=0)
    bright[nearest == -np.inf] = background
    pixels = bright.reshape(size, SAMPLES, size, SAMPLES, len(lights)).mean((1, 3))
    return np.rint(pixels * 255).astype(np.uint8).transpose(2, 0, 1)


def _draw(solid: Solid, view: Array, places: Array, nearest: Array, normals: Array) -> None:
    """Draw a solid where it is nearer than what was drawn before."""
    half, centre = np.array(solid.half, np.float32), np.array(solid.centre, np.float32)
    reach = np.abs(view[:2] @ solid.axes) @ half  # of its shadow on the picture, to the right and up
    middle = view[:2] @ centre
    columns = slice(*np.searchsorted(places, (middle[0] - reach[0], middle[0] + reach[0])))
    rows = slice(*np.searchsorted(places, (-middle[1] - reach[1], -middle[1] + reach[1])))
    into = (solid.axes / half).T  # from the scene to a space where the solid is of half length 1
    right, up, towards = view @ into.T
    towards = np.where(np.abs(towards) < _PARALLEL, _PARALLEL, towards).astype(np.float32)
    across = places[columns][None, :, None] * right
    start = across - places[rows][:, None, None] * up - into @ centre
    hit, depth, local = _front(solid.kind, start, towards)
    in_front = hit & (depth > nearest[rows, columns])
    nearest[rows, columns][in_front] = depth[in_front]
    normals[rows, columns][in_front] = local[in_front] @ into


def _front(kind: str, start: Array, towards: Array) -> tuple[NDArray[np.bool_], Array, Array]:
    """Where rays start + depth * towards leave the unit solid: whether they meet it, depth and normal."""
    if kind == "ellipsoid":
        enter, leave = _round(start, towards)
        return enter < leave, leave, start + leave[..., None] * towards
    sign = np.sign(towards)
    leave_slabs, enter_slabs = (sign - start) / towards, (-sign - start) / towards
    if kind == "box":
        leave, enter = leave_slabs.min(2), enter_slabs.max(2)
        axis = leave_slabs.argmin(2)
        return enter < leave, leave, np.eye(3, dtype=np.float32)[axis] * sign
    enter, leave = _round(start[..., :2], towards[:2])
    cap = leave_slabs[..., 2]
    on_cap = cap < leave
    depth = np.minimum(cap, leave)
    normal = start + depth[..., None] * towards
    normal[..., 2] = 0
    normal[on_cap] = (0, 0, sign[2])
    return np.maximum(enter, enter_slabs[..., 2]) < depth, depth, normal


def _round(start: Array, towards: Array) -> tuple[Array, Array]:
    """Where rays enter and leave the unit ball or circle; equal where they miss it."""
    square, product = towards @ towards, start @ towards
    root = np.sqrt((product**2 - square * ((start**2).sum(2) - 1)).clip(min=0))
    return (-product - root) / square, (root - product) / square

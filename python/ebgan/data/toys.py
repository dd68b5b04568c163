"""The fifty toys of ``turntable``: ten animals, humans, planes, trucks and cars, each of solid primitives.

A toy looks along the first axis and stands on the plane of the first two. Its measures are drawn at random,
from its category and number alone.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ebgan.data.solids import Array, Solid, Vector, turned

Random = np.random.Generator
_UPRIGHT = np.eye(3, dtype=np.float32)
_RADIUS = 0.92  # of the ball that holds a toy, in half widths of the picture


def toy(category: str, number: int) -> list[Solid]:
    """The solids of a toy, moved and scaled so that it fills the unit ball."""
    random = np.random.default_rng((tuple(TOYS).index(category), number))
    return _centred(TOYS[category](random))


def _animal(random: Random) -> list[Solid]:
    length, width, height = random.uniform((0.6, 0.2, 0.2), (1.0, 0.4, 0.4))
    leg, thick = random.uniform((0.25, 0.05), (0.7, 0.11))
    neck, head, tail = random.uniform((0.1, 0.15, 0.2), (0.6, 0.3, 0.5))
    middle = 2 * leg + height
    shoulder, top = length * 0.8, middle + 0.4 * height + neck
    return [
        _box((0, 0, middle), (length, width, height))
        if random.random() < 0.4
        else _ball((0, 0, middle), (length, width, height)),
        *(
            _rod((x * length * 0.65, y * width * 0.6, leg), (thick, thick, leg))
            for x in (-1, 1)
            for y in (-1, 1)
        ),
        _rod((shoulder, 0, middle + neck / 2), (0.1, 0.1, 0.2 + neck / 2), turned(1, 20)),
        _ball((shoulder + 0.25, 0, top), (head * 1.3, head * 0.8, head)),
        *(_rod((shoulder + 0.1, y * head * 0.5, top + head), (0.05, 0.05, 0.12)) for y in (-1, 1)),
        _rod(
            (-length - tail * 0.6, 0, middle + 0.1), (0.05, 0.05, tail), turned(1, random.uniform(-80, -20))
        ),
    ]


def _human(random: Random) -> list[Solid]:
    chest, width, depth = random.uniform((0.35, 0.22, 0.12), (0.55, 0.42, 0.28))
    leg, head, arm = random.uniform((0.4, 0.16, 0.3), (0.65, 0.28, 0.5))
    swing, spread = random.uniform((-45, 5), (45, 60))
    shoulder = 2 * leg + 2 * chest
    return [
        _box((0, 0, 2 * leg + chest), (depth, width, chest))
        if random.random() < 0.5
        else _rod((0, 0, 2 * leg + chest), (depth, width, chest)),
        _ball((0, 0, shoulder + head * 1.1), (head, head * 0.85, head)),
        *(
            _rod(
                (side * np.sin(np.deg2rad(swing)) * leg * 0.5, side * width * 0.55, leg),
                (0.1, 0.1, leg),
                turned(1, side * swing * 0.5),
            )
            for side in (-1, 1)
        ),
        *(
            _rod(
                (
                    0,
                    side * (width + arm * np.sin(np.deg2rad(spread))),
                    shoulder - 0.1 - arm * np.cos(np.deg2rad(spread)),
                ),
                (0.08, 0.08, arm),
                turned(0, side * spread),
            )
            for side in (-1, 1)
        ),
        _box((depth * 0.7, 0, shoulder - chest * 0.5), (depth * 0.6, width * 0.5, 0.1)),
    ]


def _plane(random: Random) -> list[Solid]:
    thick, span, chord = random.uniform((0.12, 0.7, 0.14), (0.22, 1.2, 0.3))
    fin, place, sweep = random.uniform((0.15, -0.1, 0), (0.35, 0.25, 35))
    height = 0.0 if random.random() < 0.5 else thick * 0.8
    engines = random.integers(0, 3)
    return [
        _ball((0, 0, 0), (1.1, thick, thick)),
        *(
            _box(
                (place - np.sin(np.deg2rad(sweep)) * span / 2, side * span / 2, height),
                (chord, span / 2, 0.035),
                turned(2, side * sweep),
            )
            for side in (-1, 1)
        ),
        _box((-0.9, 0, thick * 0.5), (chord * 0.6, span * 0.4, 0.03)),
        _box((-0.95, 0, fin), (chord * 0.5, 0.03, fin)),
        *(
            _rod((place, side * span * (0.3 + 0.3 * pair), height - 0.1), (0.08, 0.08, 0.22), turned(1, 90))
            for side in (-1, 1)
            for pair in range(engines)
        ),
    ]


def _truck(random: Random) -> list[Solid]:
    length, width, load = random.uniform((0.6, 0.3, 0.2), (0.9, 0.42, 0.45))
    cab, cab_height, wheel = random.uniform((0.2, 0.25, 0.14), (0.32, 0.45, 0.22))
    floor = 2 * wheel
    tank = random.random() < 0.4
    return [
        _box((0, 0, floor), (length + cab, width * 0.8, 0.06)),
        _rod((-cab, 0, floor + load), (load, width, length), turned(1, 90))
        if tank
        else _box((-cab, 0, floor + load), (length, width, load)),
        _box((length, 0, floor + cab_height), (cab, width, cab_height)),
        *_wheels((-length * 0.9, -length * 0.3, length), width, wheel),
    ]


def _car(random: Random) -> list[Solid]:
    length, width, body = random.uniform((0.7, 0.32, 0.12), (1.0, 0.45, 0.2))
    cabin, roof, wheel = random.uniform((0.3, 0.14, 0.14), (0.6, 0.24, 0.2))
    back = random.uniform(-0.3, 0.1)
    floor = wheel + body
    upper = floor + body
    return [
        _box((0, 0, floor), (length, width, body)),
        _ball((back, 0, upper), (cabin, width * 0.9, 2 * roof))
        if random.random() < 0.5
        else _box((back, 0, upper + roof), (cabin, width * 0.85, roof)),
        *_wheels((-length * 0.62, length * 0.62), width, wheel),
    ]


TOYS: dict[str, Callable[[Random], list[Solid]]] = {
    "animal": _animal,
    "human": _human,
    "plane": _plane,
    "truck": _truck,
    "car": _car,
}


def _wheels(places: tuple[float, ...], width: float, radius: float) -> list[Solid]:
    return [
        _rod((x, side * width, radius), (radius, radius, 0.06), turned(0, 90))
        for x in places
        for side in (-1, 1)
    ]


def _box(centre: Vector, half: Vector, axes: Array = _UPRIGHT) -> Solid:
    return Solid("box", centre, half, axes)


def _ball(centre: Vector, half: Vector) -> Solid:
    return Solid("ellipsoid", centre, half, _UPRIGHT)


def _rod(centre: Vector, half: Vector, axes: Array = _UPRIGHT) -> Solid:
    return Solid("cylinder", centre, half, axes)


def _centred(solids: list[Solid]) -> list[Solid]:
    corners = np.array(
        [
            np.array(solid.centre) + solid.axes @ (np.array(solid.half) * corner)
            for solid in solids
            for corner in np.stack(np.meshgrid(*[(-1, 1)] * 3), -1).reshape(-1, 3)
        ]
    )
    middle = (corners.min(0) + corners.max(0)) / 2
    scale = _RADIUS / np.linalg.norm(corners - middle, axis=1).max()
    return [
        Solid(
            solid.kind,
            _vector((solid.centre - middle) * scale),
            _vector(np.multiply(solid.half, scale)),
            solid.axes,
        )
        for solid in solids
    ]


def _vector(values: np.ndarray) -> Vector:
    first, second, third = values.tolist()
    return first, second, third

"""``turntable``: fifty toys of five categories on a turntable, from 162 places under 6 lights.

An embedded pose set in the spirit of small NORB, drawn when it is loaded: 18 azimuths, 9 elevations.
"""

from __future__ import annotations

import numpy as np

from ebgan.data.image_set import Factor, ImageSet
from ebgan.data.registry import Root, Source, Split
from ebgan.data.solids import camera, rendered
from ebgan.data.toys import TOYS, toy

INSTANCES = 10  # of each category; every second one is held out
AZIMUTHS = tuple(range(0, 360, 20))
ELEVATIONS = tuple(range(30, 75, 5))
LIGHTS = tuple((azimuth, elevation) for elevation in (65, 20) for azimuth in (-70, 0, 70))

_SIDE = 64
_AMBIENT, _BACKGROUND = 0.18, 0.85


def load_turntable(split: Split, root: Root = None, size: int | None = None) -> ImageSet:
    """Draw one split, the toys of even or of odd numbers: uint8 ``(24300, 1, 64, 64)``; it needs no root.

    The class is the category; further factors are the instance, the azimuth and elevation of the camera, and
    the light, whose azimuth counts from the camera's, as the toy turns and camera and lamps do not. With
    ``size`` the images are drawn so large. A split takes 12 s (AMD EPYC, 1 thread, other
    work beside it, 2026-11-28).
    """
    side = size or _SIDE
    numbers = range(1 if split == "test" else 0, INSTANCES, 2)
    toys = [(category, number) for category in TOYS for number in numbers]
    shape = (len(toys), len(AZIMUTHS), len(ELEVATIONS), len(LIGHTS))
    images = np.empty((*shape, side, side), np.uint8)
    for place, (category, number) in enumerate(toys):
        solids = toy(category, number)
        for turn, azimuth in enumerate(AZIMUTHS):
            lights = np.stack([camera(azimuth + lamp, high)[2] for lamp, high in LIGHTS])
            for rise, elevation in enumerate(ELEVATIONS):
                images[place, turn, rise] = rendered(
                    solids,
                    camera(azimuth, elevation),
                    lights,
                    side,
                    ambient=_AMBIENT,
                    background=_BACKGROUND,
                )

    categories = tuple(TOYS)
    toy_of, azimuth_of, elevation_of, light_of = (each.ravel() for each in np.indices(shape, np.int64))
    category_of = np.array([categories.index(category) for category, _ in toys], np.int64)[toy_of]
    number_of = np.array([number for _, number in toys], np.int64)[toy_of]
    further = {
        "instance": Factor(
            category_of * INSTANCES + number_of,
            tuple(f"{category} {number}" for category in categories for number in range(INSTANCES)),
        ),
        "azimuth": Factor(azimuth_of, tuple(map(str, AZIMUTHS))),
        "elevation": Factor(elevation_of, tuple(map(str, ELEVATIONS))),
        "light": Factor(light_of, tuple(f"{azimuth}, {elevation}" for azimuth, elevation in LIGHTS)),
    }
    return ImageSet(images.reshape(-1, 1, side, side), category_of, "turntable", split, categories, further)


SOURCE = Source(
    "turntable", load_turntable, "48,600 pictures of 50 toys on a turntable, grey, 64x64 pixels", "embedded"
)

"""``yale-b``: the Extended Yale Face Database B, cropped: 38 people under 64 lights, PGM files of 168x192.

The release, a folder or a zip, lies in ``yale-b`` below the data root. Its names tell everything:
``yaleB01_P00A+000E-20.pgm`` is subject 1, lit from an azimuth of 0 and an elevation of -20 degrees.

Source: A. Georghiades, P. Belhumeur, D. Kriegman, From Few to Many, PAMI 2001; K. Lee, J. Ho, D. Kriegman,
Acquiring Linear Subspaces for Face Recognition under Variable Lighting, PAMI 2005. For research alone.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError
from ebgan.data.image_set import Factor, ImageSet
from ebgan.data.listing import OpenFile, listed
from ebgan.data.pgm import parse_pgm
from ebgan.data.registry import Root, Source, Split, data_root
from ebgan.data.scaled import scaled
from ebgan.data.skipped import each_file, first_few, most_first

_NAME = re.compile(r"(?:.*/)?(yaleB\d\d)_P00A([+-]\d{3})E([+-]\d\d)\.pgm")
_TEST_EVERY = 5

_log = logging.getLogger(__name__)


def load_yale_b(split: Split, root: Root, size: int | None) -> ImageSet:
    """Read one split of the faces: uint8 ``(N, 1, 192, 168)``, or ``(N, 1, size, size)`` of their squares.

    The class is the subject; further factors are the light and its azimuth and elevation. Subject s under
    light l, both numbered from 0, is of the test split where s + l is a multiple of 5: every subject and
    every light is in both. Files that are no picture under one light (``.bad``, ``Ambient``, ``.info``, and
    others) are skipped; the logger ``ebgan.data.yale_b`` counts them.

    Raises:
        DataError: no data root, no such picture, a zip inside a zip, pictures of several sizes, or one whose
            PGM file is malformed or cut short.
    """
    path = _release(data_root("yale-b", root) / "yale-b")
    with listed(path) as (names, open_file):
        files = sorted(name for name in names if _NAME.fullmatch(name))
        if not files:
            raise DataError(
                f"{path} holds no picture named as {'yaleB01_P00A+000E+00.pgm'!r}{_inside(names)}"
            )
        if len(files) < len(names):
            _log.warning(
                "ebgan: skipped %d files of %s: %s",
                len(names) - len(files),
                path,
                _counted(set(names).difference(files)),
            )
        of_file = [_told(name) for name in files]
        subjects, lights = sorted({name[0] for name in of_file}), sorted({name[1] for name in of_file})
        number = {name: index for names in (subjects, lights) for index, name in enumerate(names)}
        held_out = [(number[subject] + number[light]) % _TEST_EVERY == 0 for subject, light in of_file]
        chosen = [index for index, each in enumerate(held_out) if each is (split == "test")]
        images = _read(path, [files[index] for index in chosen], open_file, size)

    of_image = [of_file[index] for index in chosen]
    azimuths, elevations = ([light[start:stop] for _, light in of_image] for start, stop in ((1, 5), (6, 9)))
    further = {
        "light": _factor([light for _, light in of_image], lights),
        "azimuth": _factor(azimuths, sorted({light[1:5] for light in lights}, key=int)),
        "elevation": _factor(elevations, sorted({light[6:9] for light in lights}, key=int)),
    }
    labels = _factor([subject for subject, _ in of_image], subjects).labels
    return ImageSet(images, labels, "yale-b", split, tuple(subjects), further)


def _release(folder: Path) -> Path:
    """The folder itself, or the one zip in it."""
    zips = sorted(folder.glob("*.zip")) if folder.is_dir() else []
    return zips[0] if len(zips) == 1 else folder


def _told(name: str) -> tuple[str, str]:
    """The subject and the light of a file, as ("yaleB01", "A+000E-20")."""
    match = _NAME.fullmatch(name)
    assert match is not None  # the caller has chosen such names
    subject, azimuth, elevation = match.groups()
    return subject, f"A{azimuth}E{elevation}"


def _factor(of_image: list[str], values: list[str]) -> Factor:
    number = {value: index for index, value in enumerate(values)}
    return Factor(np.array([number[each] for each in of_image], np.int64), tuple(values))


def _inside(names: Collection[str]) -> str:
    zips = sorted(name for name in names if name.lower().endswith(".zip"))
    return f", but the zip {zips[0]!r}: unpack that" if zips else ""


def _counted(names: Collection[str]) -> str:
    kinds = Counter(
        "Ambient" if "Ambient" in name else Path(name).suffix.lower() or "without a suffix" for name in names
    )
    return first_few([f"{count} {kind}" for kind, count in most_first(kinds)])


def _read(root: Path, files: list[str], open_file: OpenFile, size: int | None) -> NDArray[np.uint8]:
    def read(name: str) -> NDArray[np.uint8]:
        with open_file(name) as file:
            return parse_pgm(file.read())

    images: list[NDArray[np.uint8]] = []
    shape: tuple[int, ...] | None = None
    with closing(each_file(files, read, title=root.name, unit="image")) as results:
        for name, result in zip(files, results, strict=True):
            if isinstance(result, str):
                raise DataError(f"{root}: {name!r} {result}; put a whole one there or remove it")
            shape = shape or result.shape
            if result.shape != shape:
                (height, width), (first_height, first_width) = result.shape, shape
                raise DataError(
                    f"{root}: {files[0]!r} is {first_width}x{first_height}, {name!r} is {width}x{height}; "
                    "take the cropped release, whose pictures have one size"
                )
            images.append(scaled(result, size))
    return np.stack(images)[:, None]


SOURCE = Source(
    "yale-b", load_yale_b, "2,414 faces of 38 people under 64 lights, grey, 168x192 pixels", "root"
)

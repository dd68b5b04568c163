"""``norb``: small NORB, 50 toys of five categories from 162 places under 6 lights, grey, 96x96.

Its six files, plain or gzipped, lie in ``norb`` below the data root under the names of the release. Each is a
binary matrix in little-endian order: a magic number, the number of axes, their lengths (three at least, more
of them 1 where there are fewer axes), the elements.

Source: Y. LeCun, F. Huang, L. Bottou, Learning Methods for Generic Object Recognition with Invariance to
Pose and Lighting, CVPR 2004. For research alone.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError, reason
from ebgan.data.image_set import Factor, ImageSet
from ebgan.data.registry import Root, Source, Split, data_root
from ebgan.data.scaled import scaled
from ebgan.data.unpacked import unpacked

CATEGORIES = ("animal", "human", "plane", "truck", "car")
INSTANCES, ELEVATIONS, AZIMUTHS, LIGHTS = 10, 9, 18, 6

_PREFIX = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing",
}
_TYPES = {0x1E3D4C55: "<u1", 0x1E3D4C54: "<i4"}


def load_norb(split: Split, root: Root, size: int | None) -> ImageSet:
    """Read what the left camera saw of one split: uint8 ``(N, 1, 96, 96)``, scaled where ``size`` is given.

    The class is the category; further factors are the instance, the elevation, the azimuth and the light. The
    test split has other instances than the train split.

    Raises:
        DataError: no data root, a file that is missing, damaged or of another shape, or a label out of range.
    """
    folder = data_root("norb", root) / "norb"
    images, category, info = (
        _read(folder, f"{_PREFIX[split]}-{kind}.mat") for kind in ("dat", "cat", "info")
    )
    count = len(images)
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] != 2:
        raise DataError(
            f"{folder}: the dat file of the {split} split holds {images.dtype} {images.shape}, expected "
            "uint8 (N, 2, H, W), the pictures of two cameras"
        )
    if category.shape != (count,) or info.shape != (count, 4):
        raise DataError(
            f"{folder}: the files of the {split} split hold images, categories and infos of the shapes "
            f"{images.shape}, {category.shape} and {info.shape}; put those of one release there"
        )
    instance, elevation, azimuth, light = info.astype(np.int64).T
    labels = category.astype(np.int64)
    _check(folder, "categories", labels, len(CATEGORIES))
    _check(folder, "instances", instance, INSTANCES)
    names = tuple(f"{category} {number}" for category in CATEGORIES for number in range(INSTANCES))
    further = {
        "instance": Factor(labels * INSTANCES + instance, names),
        "elevation": Factor(elevation, tuple(str(30 + 5 * step) for step in range(ELEVATIONS))),
        "azimuth": Factor(azimuth // 2, tuple(str(20 * step) for step in range(AZIMUTHS))),
        "light": Factor(light, tuple(map(str, range(LIGHTS)))),
    }
    left = np.stack([scaled(pair[0], size) for pair in images])[:, None]
    return ImageSet(left, labels, "norb", split, CATEGORIES, further)


def _check(folder: Path, what: str, labels: NDArray[np.int64], count: int) -> None:
    if not (labels.min() >= 0 and labels.max() < count):
        raise DataError(
            f"{folder}: {what} run from {labels.min()} to {labels.max()}, allowed are 0 to {count - 1}"
        )


def _read(folder: Path, name: str) -> NDArray[Any]:
    plain, packed = folder / name, folder / f"{name}.gz"
    path = packed if packed.exists() else plain
    try:
        content = path.read_bytes()
        content = unpacked(content) if path == packed else content
    except FileNotFoundError:
        raise DataError(
            f"data set 'norb': neither {plain} nor the same with .gz is there; put the six files of small "
            f"NORB into {folder}"
        ) from None
    except (EOFError, OSError, ValueError, zlib.error) as error:
        raise DataError(f"{path} cannot be read ({reason(error)}); put a whole one there") from error
    try:
        return parse_matrix(content)
    except ValueError as error:
        raise DataError(f"{path} {error}") from error


def parse_matrix(content: bytes) -> NDArray[Any]:
    """The array of bytes or of 32-bit integers in a file of NORB's format.

    Raises:
        ValueError: another magic number, a header cut short, an empty array, or elements too few or too many.

    Example:
        >>> header = struct.pack("<Ii3i", 0x1E3D4C54, 1, 2, 1, 1)
        >>> parse_matrix(header + struct.pack("<2i", 7, 8)).tolist()
        [7, 8]
    """
    if len(content) < 8:
        raise ValueError(f"holds {len(content)} bytes, fewer than the header of a NORB matrix")
    magic, axes = struct.unpack_from("<Ii", content)
    if magic not in _TYPES:
        known = " or ".join(f"{each:#x}" for each in _TYPES)
        raise ValueError(
            f"has the magic number {magic:#x}, expected {known}: no NORB matrix of bytes or integers"
        )
    if not 1 <= axes <= 4:
        raise ValueError(f"has {axes} axes in its header, allowed are 1 to 4")
    start = 8 + 4 * max(axes, 3)
    if len(content) < start:
        raise ValueError(f"holds {len(content)} bytes, fewer than the {start} of its header: it is cut short")
    shape = struct.unpack_from(f"<{axes}i", content, 8)
    if min(shape) < 1:
        raise ValueError(f"has the shape {shape} in its header, where every axis must be at least 1 long")
    kind = np.dtype(_TYPES[magic])
    wanted, found = math.prod(shape) * kind.itemsize, len(content) - start
    if found != wanted:
        problem = "it is cut short" if found < wanted else "it has another header than its content"
        raise ValueError(f"promises {wanted} bytes of elements, but holds {found}: {problem}")
    return np.frombuffer(content, kind, offset=start).reshape(shape)


SOURCE = Source(
    "norb", load_norb, "48,600 pictures of 50 toys in five categories, grey, 96x96 pixels", "root"
)

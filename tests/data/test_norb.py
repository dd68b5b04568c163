"""Small NORB: files in its format that the tests write, whole and damaged."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

import numpy as np
import pytest

from ebgan.data import DataError, load
from ebgan.data.norb import parse_matrix

BYTES, INTEGERS = 0x1E3D4C55, 0x1E3D4C54
STEM = "smallnorb-5x46789x9x18x6x2x96x96-training"

IMAGES = np.arange(6 * 2 * 4 * 4, dtype=np.uint8).reshape(6, 2, 4, 4)
CATEGORIES = np.array([0, 1, 2, 3, 4, 4], np.int32)
INFO = np.array(
    [[4, 0, 0, 0], [6, 8, 34, 5], [7, 1, 2, 1], [8, 2, 4, 2], [9, 3, 6, 3], [4, 4, 8, 4]], np.int32
)


def matrix(array: np.ndarray) -> bytes:
    lengths = [*array.shape, *(1,) * (3 - array.ndim)]
    magic = BYTES if array.dtype == np.uint8 else INTEGERS
    return struct.pack(f"<Ii{len(lengths)}i", magic, array.ndim, *lengths) + array.tobytes()


def written(root: Path, **changes: bytes) -> Path:
    contents = {"dat": matrix(IMAGES), "cat": matrix(CATEGORIES), "info": matrix(INFO)} | changes
    (root / "norb").mkdir()
    for kind, content in contents.items():
        (root / "norb" / f"{STEM}-{kind}.mat").write_bytes(content)
    return root


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


def test_the_left_pictures_are_read_with_every_factor(tmp_path):
    norb = load("norb", "train", written(tmp_path))
    np.testing.assert_array_equal(norb.images[:, 0], IMAGES[:, 0])
    told = [
        tuple(factor.values[factor.labels[index]] for factor in norb.factors.values()) for index in range(6)
    ]
    assert list(norb.factors) == ["class", "instance", "elevation", "azimuth", "light"]
    assert told[:2] == [("animal", "animal 4", "30", "0", "0"), ("human", "human 6", "70", "340", "5")]
    assert told[5] == ("car", "car 4", "50", "80", "4")


def test_gzipped_files_and_another_size_are_read(tmp_path):
    root = written(tmp_path)
    for path in list((root / "norb").iterdir()):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert load("norb", "train", root, size=2).images.shape == (6, 1, 2, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds 0 bytes, fewer than the header"),
        (matrix(IMAGES)[:20], "holds 20 bytes, fewer than the 24 of its header: it is cut short"),
        (
            struct.pack("<Ii3i", 0x1E3D4C51, 1, 1, 1, 1) + bytes(4),
            "has the magic number 0x1e3d4c51, expected",
        ),
        (matrix(CATEGORIES)[3::-1] + matrix(CATEGORIES)[4:], "has the magic number 0x544c3d1e"),
        (struct.pack("<Ii3i", BYTES, 9, 1, 1, 1), "has 9 axes in its header, allowed are 1 to 4"),
        (struct.pack("<Ii3i", BYTES, 0, 1, 1, 1), "has 0 axes"),
        (struct.pack("<Ii3i", BYTES, 2, -1, 1, 1), "has the shape (-1, 1) in its header"),
        (matrix(IMAGES)[:-1], "promises 192 bytes of elements, but holds 191: it is cut short"),
        (matrix(IMAGES) + b"x", "promises 192 bytes of elements, but holds 193: it has another header"),
    ],
)
def test_a_damaged_file_is_one_line_that_names_it(tmp_path, content, message):
    with raises(f"{STEM}-dat.mat {message}") as caught:
        load("norb", "train", written(tmp_path, dat=content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dat": matrix(CATEGORIES)}, "the dat file of the train split holds int32 (6,)"),
        ({"cat": matrix(CATEGORIES[:5])}, "shapes (6, 2, 4, 4), (5,) and (6, 4)"),
        ({"info": matrix(INFO[:, :3].copy())}, "shapes (6, 2, 4, 4), (6,) and (6, 3)"),
        ({"cat": matrix(CATEGORIES + 1)}, "categories run from 1 to 5, allowed are 0 to 4"),
        ({"info": matrix(INFO * 2)}, "instances run from 8 to 18, allowed are 0 to 9"),
        ({"info": matrix(INFO + np.int32([0, 1, 0, 0]))}, "labels of elevation run from 1 to 9"),
    ],
)
def test_files_that_do_not_belong_together_are_refused(tmp_path, changes, message):
    with raises(message):
        load("norb", "train", written(tmp_path, **changes))


def test_what_is_missing_and_what_is_no_gzip_are_named(tmp_path):
    root = written(tmp_path)
    with raises("put the six files of small NORB into"):
        load("norb", "test", root)
    (root / "norb" / f"{STEM}-cat.mat.gz").write_bytes(b"no gzip")
    with raises("-cat.mat.gz cannot be read (Not a gzipped file"):
        load("norb", "train", root)


def test_integers_are_read_in_the_order_of_the_format():
    np.testing.assert_array_equal(parse_matrix(matrix(INFO)), INFO)

"""Faces in the release's names: what is read, what is skipped and counted, what is refused."""

from __future__ import annotations

import logging
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ebgan.data import DataError, load

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")

SUBJECTS = ("yaleB01", "yaleB02", "yaleB11")
LIGHTS = ("A+000E+00", "A+000E-20", "A-110E+15", "A+005E+10", "A+120E+00")


def pgm(value: int, size: tuple[int, int] = (12, 16)) -> bytes:
    return b"P5\n%d %d\n255\n" % size + bytes([value]) * (size[0] * size[1])


FILES = {
    f"CroppedYale/{subject}/{subject}_P00{light}.pgm": pgm(10 * row + column)
    for row, subject in enumerate(SUBJECTS)
    for column, light in enumerate(LIGHTS)
}
OTHERS = {
    "CroppedYale/yaleB01/yaleB01_P00_Ambient.pgm": pgm(255),
    "CroppedYale/yaleB01/yaleB01_P00.info": b"yaleB01_P00_Ambient.pgm",
    "CroppedYale/yaleB11/yaleB11_P00A+050E-40.pgm.bad": b"P5\n",
    "CroppedYale/yaleB11/README.txt": b"hello",
    "CroppedYale/yaleB11/index.txt": b"hello",
}


def written(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / "yale-b" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def packed(root: Path, files: dict[str, bytes]) -> Path:
    (root / "yale-b").mkdir()
    with zipfile.ZipFile(root / "yale-b" / "faces.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return root


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


@pytest.mark.parametrize("placed", [written, packed])
def test_names_tell_subject_and_light_and_every_picture_is_in_one_split(tmp_path, placed):
    root = placed(tmp_path, FILES | OTHERS)
    train, test = load("yale-b", "train", root), load("yale-b", "test", root)
    assert train.images.shape == (12, 1, 16, 12) and test.images.shape == (3, 1, 16, 12)
    assert train.classes == SUBJECTS
    assert train.factors["azimuth"].values == ("-110", "+000", "+005", "+120")
    assert train.factors["elevation"].values == ("-20", "+00", "+10", "+15")
    found = {}
    for part in (train, test):
        for index, image in enumerate(part.images):
            subject = part.classes[part.labels[index]]
            told = {
                name: part.factors[name].values[part.factors[name].labels[index]]
                for name in ("light", "azimuth", "elevation")
            }
            assert told["light"] == f"A{told['azimuth']}E{told['elevation']}"
            found[subject, told["light"]] = int(image[0, 0, 0])
    assert found == {
        (subject, light): 10 * row + column
        for row, subject in enumerate(SUBJECTS)
        for column, light in enumerate(LIGHTS)
    }


def test_what_is_no_picture_under_one_light_is_skipped_and_counted(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "ebgan.data.yale_b"):
        load("yale-b", "train", written(tmp_path, FILES | OTHERS))
    (record,) = caplog.records
    said = record.getMessage()
    assert said.startswith("ebgan: skipped 5 files of")
    assert all(kind in said for kind in ("2 .txt", "1 .bad", "1 .info", "1 more"))


def test_nothing_is_said_where_nothing_is_skipped(tmp_path, caplog):
    load("yale-b", "train", written(tmp_path, FILES))
    assert not caplog.records


def test_a_size_takes_the_central_square(tmp_path):
    image = np.zeros((16, 12), np.uint8)
    image[2:14] = 200  # the square is white, what is above and below it black
    picture = b"P5 12 16 255 " + image.tobytes()
    root = written(tmp_path, dict.fromkeys(FILES, picture))
    small = load("yale-b", "train", root, size=6)
    assert small.images.shape == (12, 1, 6, 6) and (small.images == 200).all()


@pytest.mark.parametrize("placed", [written, packed])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pgm(0)[:-1], "holds 191 of the 192 pixels of its header: it is cut short"),
        (b"P5\n12\n", "its header is malformed"),
        (b"GIF89a", "begins with b'GI' and not with b'P5'"),
        (pgm(0, (4, 4)), "is 4x4; take the cropped release, whose pictures have one size"),
    ],
)
def test_a_damaged_picture_is_one_line_that_names_it(tmp_path, placed, content, message):
    name = "CroppedYale/yaleB02/yaleB02_P00A+000E+00.pgm"
    root = placed(tmp_path, FILES | {name: content})
    with raises(message) as caught:
        load("yale-b", "train", root)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_a_zip_inside_a_zip_is_named(tmp_path):
    with raises("but the zip 'release/CroppedYale.zip': unpack that"):
        load("yale-b", "train", packed(tmp_path, {"release/CroppedYale.zip": b"PK"}))


def test_a_folder_without_pictures_and_one_that_is_not_there_are_named(tmp_path):
    with raises("holds no picture named as 'yaleB01_P00A+000E+00.pgm'"):
        load("yale-b", "train", written(tmp_path, OTHERS))
    with raises("cannot read"):
        load("yale-b", "train", tmp_path / "yale-b")


@real_data
def test_the_release_has_38_people_under_64_lights():
    train, test = load("yale-b", "train", size=64), load("yale-b", "test", size=64)
    assert train.shape == test.shape == (1, 64, 64) and train.images.std() > 20
    assert len(train) + len(test) == 2414 and len(train.classes) == 38
    assert len(train.factors["light"].values) == 64
    for part in (train, test):
        assert len(np.unique(part.labels)) == 38 and len(np.unique(part.factors["light"].labels)) == 64

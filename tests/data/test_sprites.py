"""Characters that are composed from sheets, by sheets of plain colours and by the real ones."""

from __future__ import annotations

import os
import re
from itertools import combinations

import numpy as np
import pytest
from PIL import Image

from ebgan.data import Batches, DataError, load
from support.image_files import encoded, plain

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")

PARTS = ("body", "bottomwear", "topwear", "hair")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Sheets that draw one row of each cell: part p, sheet n has the colour (40 p, 40 n, cell row)."""
    root = tmp_path_factory.mktemp("data")
    for layer, part in enumerate(PARTS):
        (root / "sprites" / part).mkdir(parents=True)
        for number in range(6):
            sheet = np.zeros((21, 64, 13, 64, 4), np.uint8)
            band = sheet[:, 20 + 5 * layer : 30 + 5 * layer]
            band[..., 0], band[..., 1], band[..., 3] = 40 * layer, 40 * number, 255
            band[..., 2] = np.arange(21).reshape(21, 1, 1, 1)
            image = Image.fromarray(sheet.reshape(21 * 64, 13 * 64, 4))
            (root / "sprites" / part / f"{number}.png").write_bytes(encoded(image, compress_level=1))
    return root


@pytest.fixture(scope="module")
def test_split(root):
    return load("sprites", "test", root)


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


def test_every_layer_lies_over_those_below_it_in_the_place_that_the_factors_tell(test_split):
    factors = test_split.factors
    first_row = {"spellcast": 0, "walk": 8, "slash": 12}
    for index in range(0, len(test_split), 997):
        image = test_split.images[index]
        action = factors["action"].values[factors["action"].labels[index]]
        row = first_row[action] + factors["view"].labels[index]
        for layer, part in enumerate(PARTS):
            uppermost = 20 + 5 * layer - 8  # the upper half of a band lies on the lower half of that below
            assert image[:, uppermost, 30].tolist() == [40 * layer, 40 * factors[part].labels[index], row]
        assert image[:, 0, 0].tolist() == [255, 255, 255]
        name = "-".join(str(factors[part].labels[index]) for part in PARTS)
        assert test_split.classes[test_split.labels[index]] == name


def test_each_character_has_every_pose_once(test_split):
    factors = test_split.factors
    assert test_split.images.shape == (296 * 48, 3, 56, 56)
    poses = np.stack([test_split.labels, *(factors[name].labels for name in ("action", "view", "frame"))], 1)
    assert len(np.unique(poses, axis=0)) == len(test_split) and len(np.unique(test_split.labels)) == 296


def test_the_splits_share_no_character_and_every_part(root, test_split):
    train = load("sprites", "train", root, size=4)
    assert train.images.shape == (48_000, 3, 4, 4)
    assert not set(train.labels) & set(test_split.labels)
    assert len(set(train.labels)) == 1000
    for part in PARTS:
        assert len(np.unique(train.factors[part].labels)) == 6


@pytest.mark.parametrize(("size", "times", "before"), [(64, 1, 4), (119, 2, 3)])
def test_a_size_from_56_up_repeats_pixels_and_puts_white_around(root, test_split, size, times, before):
    images = load("sprites", "test", root, size=size).images[::997]
    assert images.shape == (15, 3, size, size)
    inner = slice(before, before + times * 56)
    drawn = images[:, :, inner, inner]
    assert (drawn == test_split.images[::997].repeat(times, 2).repeat(times, 3)).all()
    around = np.ones((size, size), bool)
    around[inner, inner] = False
    assert (images[:, :, around] == 255).all()


def test_what_is_missing_or_damaged_is_named(tmp_path):
    with raises("body/0.png is missing: put six sheets of each part"):
        load("sprites", "train", tmp_path)
    path = tmp_path / "sprites" / "body" / "0.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(plain((0, 0, 0)))
    with raises("body/0.png is 8x8 pixels, expected a sheet of 832x1344"):
        load("sprites", "train", tmp_path)
    path.write_bytes(b"hello")
    with raises("body/0.png cannot be read (not a PNG image)"):
        load("sprites", "train", tmp_path)
    path.write_bytes(plain((0, 0, 0), (832, 1344))[:200])
    with raises("body/0.png cannot be read ("):
        load("sprites", "train", tmp_path)


@real_data
def test_real_characters_are_batches_of_a_gan_at_64x64():
    sprites = load("sprites", "test", size=64)
    assert sprites.shape == (3, 64, 64)
    batch = Batches(sprites, 16, size=64).at(0)
    assert (batch[:, :, :4] == 1).all() and (batch[:, :, :, 60:] == 1).all()  # white around
    assert (batch[:, :, 4:60, 4:60] < 1).flatten(1).any(1).all()


@real_data
def test_real_characters_differ_where_their_parts_do():
    sprites = load("sprites", "test")
    poses = np.stack([sprites.factors[name].labels for name in ("action", "view", "frame")], 1)
    in_front = np.flatnonzero((poses == (1, 2, 0)).all(1))[:20]
    images = sprites.images[in_front]
    assert all((images[first] != images[second]).any() for first, second in combinations(range(20), 2))
    drawn = (images != 255).any(1).mean((1, 2))
    assert drawn.min() > 0.15 and drawn.max() < 0.6

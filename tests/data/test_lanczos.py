"""Scaling by Lanczos' filter: the bytes that Pillow makes of rows and then of columns."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from ebgan.data.lanczos import scaled_square

LANCZOS = Image.Resampling.LANCZOS


@pytest.mark.parametrize("seed", range(60))
def test_the_bytes_are_those_of_pillow(seed: int) -> None:
    random = np.random.default_rng(seed)
    height, width, size = (int(number) for number in random.integers(1, 160, 3))
    pixels = random.integers(0, 256, (height, width, 3), np.uint8)
    # Halves, which the float32 of Pillow's boxes hold; most other places differ by 1 at a few pixels.
    side = int(random.integers(1, 2 * min(height, width), endpoint=True)) / 2
    left = int(random.integers(0, 2 * (width - side), endpoint=True)) / 2
    top = int(random.integers(0, 2 * (height - side), endpoint=True)) / 2
    # An axis at a time, because Pillow chooses by the shape of a picture which one comes first.
    along_rows = Image.fromarray(pixels).resize((size, height), LANCZOS, box=(left, 0, left + side, height))
    both = along_rows.resize((size, size), LANCZOS, box=(0, top, size, top + side))
    ours = scaled_square(pixels, left, top, side, size)
    assert ours.shape == (3, size, size) and ours.flags.c_contiguous
    np.testing.assert_array_equal(ours.transpose(1, 2, 0), np.asarray(both))


def test_a_picture_of_the_size_asked_for_keeps_its_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 40, 3), np.uint8)
    np.testing.assert_array_equal(scaled_square(noise, 4, 0, 32, 32), noise[:, 4:36].transpose(2, 0, 1))

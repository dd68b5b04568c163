"""PGM files: what is read, and the words for what is malformed."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ebgan.data.pgm import parse_pgm

PIXELS = bytes(range(6))


@pytest.mark.parametrize(
    "header", [b"P5\n3 2\n255\n", b"P5 3 2 255 ", b"P5\n# made by hand\n3\t2\n# a second one\n255\n"]
)
def test_headers_of_every_form_are_read(header):
    image = parse_pgm(header + PIXELS)
    assert image.dtype == np.uint8 and image.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_pixels_that_look_like_white_space_are_pixels():
    assert parse_pgm(b"P5 2 1 255\n" + b"\n#").tolist() == [[10, 35]]


@pytest.mark.parametrize(("width", "height"), [(1, 6), (6, 1), (1, 1)])
def test_an_image_may_be_one_pixel_wide_or_high(width, height):
    image = parse_pgm(b"P5 %d %d 255 " % (width, height) + PIXELS)
    assert image.shape == (height, width) and image.ravel().tolist() == list(PIXELS[: width * height])


def test_a_smaller_range_is_spread_from_black_to_white():
    assert parse_pgm(b"P5 3 1 10 " + bytes([0, 5, 10])).tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with b'' and not with b'P5'"),
        (b"P2 3 2 255 0 1 2 3 4 5", "begins with b'P2'"),
        (b"P5", "its header is malformed"),
        (b"P5\n3 2\n", "its header is malformed"),
        (b"P5\n3 x\n255\n" + PIXELS, "its header is malformed"),
        (b"P5\n3 -2\n255\n" + PIXELS, "its header is malformed"),
        (b"P5\n# a comment without an end 3 2 255 ", "its header is malformed"),
        (b"P5 0 2 255 " + PIXELS, "its header promises 0x2 pixels"),
        (b"P5 3 2 65535 " + 2 * PIXELS, "greatest value 65535, allowed are 1 to 255"),
        (b"P5 3 2 0 " + PIXELS, "greatest value 0, allowed are 1 to 255"),
        (b"P5 3 2 255 " + PIXELS[:-1], "holds 5 of the 6 pixels of its header: it is cut short"),
    ],
)
def test_what_is_malformed_is_said(content, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_pgm(content)

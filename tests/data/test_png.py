"""PNG files whose metadata is at fault: the picture is decoded; one that is at fault itself is not."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ebgan.data.decode import decode
from ebgan.data.png import SIGNATURE, without_metadata
from support.image_files import encoded

GREY = np.array([[16, 128]], np.uint8)
PICTURE = encoded(Image.fromarray(GREY))
FIRST = len(SIGNATURE) + 25  # after IHDR


def chunk(kind: bytes, content: bytes, *, damage: int = 0) -> bytes:
    checksum = (zlib.crc32(kind + content) + damage) % 2**32
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def decoded(content: bytes) -> np.ndarray:
    return decode(BytesIO(content), None)[0]


BOMB = zlib.compress(bytes(1 << 26))
UPSIDE_DOWN = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"


@pytest.mark.parametrize(
    "metadata",
    [
        chunk(b"tEXt", b"Comment\0hello", damage=1),
        chunk(b"zTXt", b"Comment\0\0" + BOMB),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + BOMB),
        chunk(b"iCCP", b"profile\0\0" + BOMB),
        chunk(b"iCCP", b"profile\0\0nothing that zlib wrote"),
        chunk(b"tIME", b"1"),
        chunk(b"gAMA", b""),
        chunk(b"pHYs", b"\0"),
        chunk(b"eXIf", UPSIDE_DOWN, damage=1),
        chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff"),
        chunk(b"eXIf", b"nothing"),
        chunk(b"quRk", b"unknown", damage=7),
    ],
    ids=lambda metadata: metadata[4:8].decode(),
)
def test_a_fault_in_metadata_does_not_lose_the_picture(metadata: bytes) -> None:
    assert (decoded(PICTURE[:FIRST] + metadata + PICTURE[FIRST:]) == GREY).all()


def test_the_orientation_is_kept() -> None:
    assert (decoded(PICTURE[:FIRST] + chunk(b"eXIf", UPSIDE_DOWN) + PICTURE[FIRST:]) == GREY[:, ::-1]).all()


def test_any_byte_of_the_orientation_may_be_wrong() -> None:
    """Pillow raises this and that on EXIF; the picture is there in any case, in one direction or other."""
    for place in range(len(UPSIDE_DOWN)):
        for value in (0, 0x7F, 0xFF):
            exif = UPSIDE_DOWN[:place] + bytes([value]) + UPSIDE_DOWN[place + 1 :]
            pixels = decoded(PICTURE[:FIRST] + chunk(b"eXIf", exif) + PICTURE[FIRST:])
            assert sorted(pixels.ravel()) == [16, 128]


@pytest.mark.parametrize("place", [FIRST + 9, 20], ids=["pixels", "size"])
def test_a_fault_in_the_picture_itself_is_found(place: int) -> None:
    broken = PICTURE[:place] + bytes([PICTURE[place] ^ 0xFF]) + PICTURE[place + 1 :]
    with pytest.raises((OSError, SyntaxError, ValueError)):
        decoded(broken)


def test_a_file_cut_short_is_found_wherever_it_ends() -> None:
    for end in range(FIRST, PICTURE.index(b"IDAT") + 8):
        with pytest.raises((OSError, SyntaxError, ValueError)):
            decoded(PICTURE[:end])


def test_nothing_else_of_a_file_is_changed() -> None:
    palette = Image.fromarray(GREY).convert("P")
    content = encoded(palette, transparency=3)
    assert b"PLTE" in content and b"tRNS" in content
    assert without_metadata(content) == content


def test_16_bit_grey_that_is_transparent_lies_on_white() -> None:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 0, 0, 0, 0))
    rows = zlib.compress(b"\0" + struct.pack(">HH", 0, 40_000))
    content = SIGNATURE + header + chunk(b"tRNS", b"\0\0") + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    assert decoded(content).tolist() == [[255, 40_000 >> 8]]

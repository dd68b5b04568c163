"""Binary PGM files, the grey images of older data sets."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_SPACE = rb"(?:\s|#[^\n]*\n)+"  # a comment runs to the end of its line
_HEADER = re.compile(rb"P5" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)" + _SPACE + rb"(\d+)\s")
_MOST = 255  # the greatest value of a pixel that takes one byte


def parse_pgm(content: bytes) -> NDArray[np.uint8]:
    """The image in the bytes of a PGM file of one byte a pixel: uint8 (H, W), 0 black to 255 white.

    Raises:
        ValueError: another format, a malformed header, or fewer pixels than it promises.

    Example:
        >>> parse_pgm(b"P5 2 1 255 " + bytes([0, 255])).tolist()
        [[0, 255]]
    """
    if content[:2] != b"P5":
        raise ValueError(f"begins with {content[:2]!r} and not with b'P5': no binary PGM file")
    header = _HEADER.match(content)
    if header is None:
        raise ValueError("its header is malformed: width, height and greatest value must follow P5")
    width, height, most = (int(number) for number in header.groups())
    if width < 1 or height < 1:
        raise ValueError(f"its header promises {width}x{height} pixels")
    if not 1 <= most <= _MOST:
        raise ValueError(f"its header has the greatest value {most}, allowed are 1 to {_MOST}")
    pixels = content[header.end() :]
    if len(pixels) < width * height:
        raise ValueError(f"holds {len(pixels)} of the {width * height} pixels of its header: it is cut short")
    image = np.frombuffer(pixels, np.uint8, width * height).reshape(height, width)
    return image if most == _MOST else np.rint(image.clip(max=most) * (_MOST / most)).astype(np.uint8)

"""Pictures one after another, as MP4."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import chain

import numpy as np

from ebgan.errors import require
from ebgan.files import StrPath

MOST_TICKS = 1001  # of a rate such as 30000/1001; MPEG-4 takes no time base much finer


def write_mp4(pictures: Iterable[np.ndarray], path: StrPath, *, rate: Fraction) -> None:
    """Write uint8 `pictures` (height, width, 3) of one size to the file `path`, `rate` of them a second.

    The codec is H.264 where the FFmpeg of PyAV encodes it, else MPEG-4 part 2. Both take even sizes alone: of
    an odd one the last row or column is repeated.
    """
    av = require("av")
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    quality = {"crf": "18"} if codec == "libx264" else {"qscale:v": "2"}
    later = iter(pictures)
    first = next(later)
    odd = [(0, length % 2) for length in first.shape[:2]]
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=rate.limit_denominator(MOST_TICKS), options=quality)
        stream.height, stream.width = (
            length + more for length, (_, more) in zip(first.shape, odd, strict=False)
        )
        stream.pix_fmt = "yuv420p"
        for picture in chain([first], later):
            even = np.pad(picture, (*odd, (0, 0)), mode="edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode())

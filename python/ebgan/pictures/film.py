"""Films as MP4."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import require


def write_mp4(
    frames: Iterable[NDArray[np.uint8]], path: Path, *, size: tuple[int, int], rate: Fraction | int
) -> None:
    """Write RGB `frames` (H, W, 3) of the `size` (H, W), both even, `rate` of them a second.

    The codec is H.264 where the FFmpeg of PyAV encodes it, else MPEG-4 part 2.
    """
    av = require("av")
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    quality = {"crf": "18"} if codec == "libx264" else {"qscale:v": "2"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=quality)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())

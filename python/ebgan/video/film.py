"""Films: the real frames and the predicted ones side by side, as MP4."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ebgan.errors import require
from ebgan.pictures.grid import BACKGROUND, MARK

RATE = Fraction(10)  # frames a second of a film whose clip does not say its own
MOST_TICKS = 1001  # of a rate such as 30000/1001; MPEG-4 takes no time base much finer
FRAME = 8  # pixels around and between the two films


def write_film(
    frames: Tensor, targets: Tensor, predictions: Tensor, path: Path, *, rate: Fraction | None = None
) -> None:
    """Write the input `frames` (T, 3, H, W) in [-1, 1] and the (T', 3, H, W) that followed: on the left the
    `targets`, on the right the `predictions`, in an orange frame; `rate` frames a second.

    The codec is H.264 where the FFmpeg of PyAV encodes it, else MPEG-4 part 2. H and W are even.
    """
    av = require("av")
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    quality = {"crf": "18"} if codec == "libx264" else {"qscale:v": "2"}
    height, width = frames.shape[-2:]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            codec, rate=(rate or RATE).limit_denominator(MOST_TICKS), options=quality
        )
        stream.height, stream.width, stream.pix_fmt = height + 2 * FRAME, 2 * width + 3 * FRAME, "yuv420p"
        pairs = [(frame, frame, BACKGROUND) for frame in frames]
        pairs += [(*pair, MARK) for pair in zip(targets, predictions, strict=True)]
        for left, right, colour in pairs:
            picture = np.empty((stream.height, stream.width, 3), np.uint8)
            picture[:] = BACKGROUND
            picture[:, width + FRAME :] = colour
            for pixels, start in ((left, FRAME), (right, width + 2 * FRAME)):
                picture[FRAME:-FRAME, start : start + width] = _bytes(pixels)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _bytes(frame: Tensor) -> np.ndarray:
    levels = frame.detach().float().clamp(-1, 1).add(1).mul(127.5).round()
    return levels.to(torch.uint8).permute(1, 2, 0).cpu().numpy()

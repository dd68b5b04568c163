"""Frames of a video as RGB bytes, the way up and round that the file asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ebgan.data.clip_set import Frames

if TYPE_CHECKING:
    from av import VideoFrame


def upright(frame: VideoFrame) -> Frames:
    """The frame as uint8 ``(H, W, 3)`` in C order, turned, mirrored or transposed by its display matrix.

    A slanted matrix counts as the nearest of the eight ways to lay an image on its sides.
    """
    pixels = frame.to_ndarray(format="rgb24")
    across, across_to_down, down_to_across, down = _matrix(frame)
    if abs(across_to_down) > abs(across):
        pixels = pixels.transpose(1, 0, 2)
        across, down = down_to_across, across_to_down
    return np.ascontiguousarray(pixels[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


def _matrix(frame: VideoFrame) -> tuple[float, float, float, float]:
    """How far right and down a step to the right leads when the frame is shown; the same of a step down."""
    try:
        side_data: Any = frame.side_data  # a sequence, which the annotations of PyAV miss
    except ValueError:  # PyAV knows not all kinds of it (EXIF in a frame of MJPEG); it knows rotations apart
        angle = np.deg2rad(frame.rotation)
        return float(np.cos(angle)), -float(np.sin(angle)), float(np.sin(angle)), float(np.cos(angle))
    for data in side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d, *_ = np.frombuffer(bytes(data), np.int32).tolist()
            return a, b, c, d
    return 1, 0, 0, 1

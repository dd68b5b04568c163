"""Small video files, written with PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


def write_video(
    path: Path,
    frames: NDArray[np.uint8],
    *,
    codec: str = "ffv1",
    pixels: str = "bgr0",
    times: list[int] | None = None,
    rotation: int = 0,
) -> Path:
    """``frames``, uint8 ``(T, H, W, 3)`` (or ``(T, H, W)`` grey), 25 a second or at ``times`` (1/100 s).

    By default to the bit; other codecs and pixel formats lose some.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        stream.codec_context.time_base = Fraction(1, 100)
        if rotation:
            stream.set_display_rotation(rotation)
        for number, pixel_array in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixel_array, format="rgb24" if frames.ndim == 4 else "gray")
            frame.pts = 4 * number if times is None else times[number]
            frame.time_base = Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def wandering(count: int = 12, height: int = 48, width: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """A coloured texture that moves by two pixels a frame over a still one: no two frames are equal."""
    random = np.random.default_rng(seed)
    still = random.integers(90, 130, (height, width, 3), np.uint8)
    frames = np.repeat(still[None], count, axis=0)
    patch = random.integers(0, 256, (height // 3, width // 3, 3), np.uint8)
    for number, frame in enumerate(frames):
        left = 2 * number % (width - patch.shape[1])
        frame[height // 3 : height // 3 + len(patch), left : left + patch.shape[1]] = patch
    return frames

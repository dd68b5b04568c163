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
    options: dict[str, str] | None = None,
    times: list[int] | None = None,
    rotation: int = 0,
    matrix: tuple[int, int, int, int] | None = None,
) -> Path:
    """``frames``, uint8 ``(T, H, W, 3)`` (or ``(T, H, W)`` grey), 25 a second or at ``times`` (1/100 s).

    By default to the bit; other codecs and pixel formats lose some. ``options`` are the encoder's. They
    are shown turned by ``rotation`` degrees, or by ``matrix``: where steps to the right and down lead.
    A palette ("pal8") holds the red of the frames.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tick = Fraction(1, 25) if times is None else Fraction(1, 100)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], pixels
        stream.codec_context.time_base = tick
        if rotation:
            stream.set_display_rotation(rotation)
        if matrix is not None:
            a, b, c, d = (value << 16 for value in matrix)
            stream.set_display_matrix((a, b, 0, c, d, 0, 0, 0, 1 << 30))
        for number, pixel_array in enumerate(frames):
            frame = _frame(pixel_array, pixels)
            frame.pts = number if times is None else times[number]
            frame.time_base = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _frame(array: NDArray[np.uint8], pixels: str) -> av.VideoFrame:
    if pixels == "pal8":
        palette = np.full((256, 4), 255, np.uint8)
        palette[:, 0] = np.arange(256)
        return av.VideoFrame.from_ndarray((array[..., 0], palette), format="pal8")
    return av.VideoFrame.from_ndarray(array, format="rgb24" if array.ndim == 3 else "gray")


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

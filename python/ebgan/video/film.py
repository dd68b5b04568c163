"""Films: the real frames and the predicted ones side by side, as MP4."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ebgan.pictures import write_mp4
from ebgan.pictures.grid import BACKGROUND, MARK

RATE = Fraction(10)  # frames a second of a film whose clip does not say its own
FRAME = 8  # pixels around and between the two films


def write_film(
    frames: Tensor, targets: Tensor, predictions: Tensor, path: Path, *, rate: Fraction | None = None
) -> None:
    """Write the input `frames` (T, 3, H, W) in [-1, 1] and the (T', 3, H, W) that followed: on the left the
    `targets`, on the right the `predictions`, in an orange frame; `rate` frames a second.

    H and W are even.
    """
    write_mp4(_pictures(frames, targets, predictions), path, rate=rate or RATE)


def _pictures(frames: Tensor, targets: Tensor, predictions: Tensor) -> Iterator[np.ndarray]:
    height, width = frames.shape[-2:]
    pairs = [(frame, frame, BACKGROUND) for frame in frames]
    pairs += [(*pair, MARK) for pair in zip(targets, predictions, strict=True)]
    for left, right, colour in pairs:
        picture = np.empty((height + 2 * FRAME, 2 * width + 3 * FRAME, 3), np.uint8)
        picture[:] = BACKGROUND
        picture[:, width + FRAME :] = colour
        for pixels, start in ((left, FRAME), (right, width + 2 * FRAME)):
            picture[FRAME:-FRAME, start : start + width] = _bytes(pixels)
        yield picture


def _bytes(frame: Tensor) -> np.ndarray:
    levels = frame.detach().float().clamp(-1, 1).add(1).mul(127.5).round()
    return levels.to(torch.uint8).permute(1, 2, 0).cpu().numpy()

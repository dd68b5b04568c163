"""Films: the real frames and the predicted ones side by side, as MP4."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ebgan.pictures.film import write_mp4
from ebgan.pictures.grid import BACKGROUND, MARK

RATE = Fraction(10)  # frames a second of a film whose clip does not say its own
MOST_TICKS = 1001  # of a rate such as 30000/1001; MPEG-4 takes no time base much finer
FRAME = 8  # pixels around and between the two films


def write_film(
    frames: Tensor, targets: Tensor, predictions: Tensor, path: Path, *, rate: Fraction | None = None
) -> None:
    """Write the input `frames` (T, 3, H, W) in [-1, 1] and the (T', 3, H, W) that followed: on the left the
    `targets`, on the right the `predictions`, in an orange frame; `rate` frames a second.

    H and W are even.
    """
    height, width = frames.shape[-2:]
    size = (height + 2 * FRAME, 2 * width + 3 * FRAME)

    def pictures() -> Iterator[np.ndarray]:
        pairs = [(frame, frame, BACKGROUND) for frame in frames]
        pairs += [(*pair, MARK) for pair in zip(targets, predictions, strict=True)]
        for left, right, colour in pairs:
            picture = np.empty((*size, 3), np.uint8)
            picture[:] = BACKGROUND
            picture[:, width + FRAME :] = colour
            for pixels, start in ((left, FRAME), (right, width + 2 * FRAME)):
                picture[FRAME:-FRAME, start : start + width] = _bytes(pixels)
            yield picture

    write_mp4(pictures(), path, size=size, rate=(rate or RATE).limit_denominator(MOST_TICKS))


def _bytes(frame: Tensor) -> np.ndarray:
    levels = frame.detach().float().clamp(-1, 1).add(1).mul(127.5).round()
    return levels.to(torch.uint8).permute(1, 2, 0).cpu().numpy()

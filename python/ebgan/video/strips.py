"""Pictures of predicted clips: what was given, what followed, what was predicted, and how far off that is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ebgan.pictures import Span, image_grid
from ebgan.pictures.grid import BACKGROUND

ROWS = ("film", "prediction", "difference")


def strips(frames: Tensor, targets: Tensor, predictions: Tensor) -> np.ndarray:
    """Three rows for each of B clips, time from left to right, as uint8 (height, width, 3).

    The first row is the real film: the input `frames` (B, T, 3, H, W) and the `targets` (B, T', 3, H, W) that
    followed. Below the targets stand the `predictions` of the same shape, and below these |prediction -
    target|: black where they agree, white where they differ by the whole range from -1 to 1.
    """
    targets, predictions = targets.to(frames), predictions.to(frames)
    given, followed = frames.shape[1], targets.shape[1]
    grey = BACKGROUND[0] / 127.5 - 1
    rows = frames.new_full((len(frames), 3, given + followed, *frames.shape[2:]), grey)
    rows[:, 0] = torch.cat((frames, targets), 1)
    rows[:, 1, given:] = predictions
    rows[:, 2, given:] = (predictions - targets).abs() - 1
    spans = (Span("input", given), Span("what follows", followed))
    return image_grid(rows.flatten(0, 2), columns=given + followed, row_names=ROWS, spans=spans)

"""Pictures of predicted clips: what was given, what followed, what was predicted, and how far off that is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ebgan.errors import require
from ebgan.pictures import image_grid
from ebgan.pictures.grid import BACKGROUND

LABELS = ("prediction", "difference")


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
    picture = image_grid(rows.flatten(0, 2), columns=given + followed)
    return _labelled(picture, rows=3 * len(frames), left=given / (given + followed))


def _labelled(picture: np.ndarray, *, rows: int, left: float) -> np.ndarray:
    """Names in the empty cells, ending at the share `left` of the width."""
    image = require("PIL.Image").fromarray(picture)
    draw = require("PIL.ImageDraw").Draw(image)
    pitch = image.height / rows
    font = require("PIL.ImageFont").load_default(size=round(pitch / 5))
    for row in range(rows):
        if row % 3:
            place = (left * image.width - pitch / 10, (row + 0.5) * pitch)
            draw.text(place, LABELS[row % 3 - 1], font=font, anchor="rm")
    return np.asarray(image)

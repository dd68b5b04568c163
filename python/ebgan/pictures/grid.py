"""Grids of images, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from ebgan.errors import require
from ebgan.files import StrPath, replaced

BACKGROUND = (96, 96, 96)  # mid grey: sets images of either polarity apart from each other
MARK = (230, 159, 0)  # orange, of Okabe and Ito's palette
LEAST_SIDE = 64  # smaller images are enlarged bicubically: 8x8 digits drawn as squares are hard to read


@dataclass(frozen=True)
class Span:
    """Neighbouring columns of a grid that share a name; an orange line sets them apart from the next ones."""

    name: str
    columns: int


def image_grid(
    images: Tensor, *, columns: int, row_names: Sequence[str] = (), spans: Sequence[Span] = ()
) -> np.ndarray:
    """Images (N, C, H, W) in [-1, 1], C = 1 or 3, row by row into one picture: uint8 (height, width, 3).

    `row_names` stand to the left of the rows, over and over where there are more rows than names; the names
    of `spans` stand above the columns.
    """
    Image = require("PIL.Image")
    count, _, height, width = images.shape
    scale = max(1, -(-LEAST_SIDE // max(height, width)))
    pixels = images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().byte().cpu()
    pixels = pixels.expand(count, 3, height, width).permute(0, 2, 3, 1)
    cell = (width * scale, height * scale)
    gap = max(2, cell[0] // 8)

    rows = -(-count // columns)
    font = require("PIL.ImageFont").load_default(size=max(13, cell[1] // 8))
    left = max((_length(font, name) + gap for name in row_names), default=0)
    top = font.size + gap if spans else 0
    pitch = (cell[0] + gap, cell[1] + gap)
    grid = Image.new("RGB", (left + columns * pitch[0] + gap, top + rows * pitch[1] + gap), BACKGROUND)
    for index, image in enumerate(pixels.numpy()):
        row, column = divmod(index, columns)
        enlarged = Image.fromarray(image).resize(cell, Image.Resampling.BICUBIC)
        grid.paste(enlarged, (left + gap + column * pitch[0], top + gap + row * pitch[1]))

    draw = require("PIL.ImageDraw").Draw(grid)
    for row in range(rows if row_names else 0):
        middle = top + gap + row * pitch[1] + cell[1] // 2
        draw.text((left, middle), row_names[row % len(row_names)], font=font, anchor="rm")
    start = left + gap
    for span in spans:
        end = start + span.columns * pitch[0]
        draw.text((start, gap), span.name, font=font, anchor="lt")
        if span is not spans[-1]:
            middle = end - gap // 2 - 1
            draw.line((middle, 0, middle, grid.height), fill=MARK, width=max(2, gap // 2))
        start = end
    return np.asarray(grid)


def save_png(picture: np.ndarray, path: StrPath) -> None:
    """Write a uint8 picture (height, width, 3), making the folder where it is missing."""
    with replaced(path) as new:
        require("PIL.Image").fromarray(picture).save(new)


def _length(font: Any, text: str) -> int:
    return int(font.getlength(text)) + 1

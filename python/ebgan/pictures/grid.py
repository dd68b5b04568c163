"""Grids of images, as PNG."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ebgan.errors import require
from ebgan.files import StrPath, replaced

BACKGROUND = (96, 96, 96)  # mid grey: sets images of either polarity apart from each other
LEAST_SIDE = 64  # smaller images are enlarged bicubically: 8x8 digits drawn as squares are hard to read


def image_grid(images: Tensor, *, columns: int) -> np.ndarray:
    """Images (N, C, H, W) in [-1, 1], C = 1 or 3, row by row into one picture: uint8 (height, width, 3)."""
    Image = require("PIL.Image")
    count, _, height, width = images.shape
    scale = max(1, -(-LEAST_SIDE // max(height, width)))
    pixels = images.detach().float().clamp(-1, 1).add(1).mul(127.5).round().byte().cpu()
    pixels = pixels.expand(count, 3, height, width).permute(0, 2, 3, 1)
    cell = (width * scale, height * scale)
    gap = max(2, cell[0] // 8)

    rows = -(-count // columns)
    grid = Image.new("RGB", (columns * (cell[0] + gap) + gap, rows * (cell[1] + gap) + gap), BACKGROUND)
    for index, image in enumerate(pixels.numpy()):
        row, column = divmod(index, columns)
        enlarged = Image.fromarray(image).resize(cell, Image.Resampling.BICUBIC)
        grid.paste(enlarged, (gap + column * (cell[0] + gap), gap + row * (cell[1] + gap)))
    return np.asarray(grid)


def save_png(picture: np.ndarray, path: StrPath) -> None:
    """Write a uint8 picture (height, width, 3), making the folder where it is missing."""
    with replaced(path) as new:
        require("PIL.Image").fromarray(picture).save(new)

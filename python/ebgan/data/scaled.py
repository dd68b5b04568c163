"""Images of one size in memory, cropped to a square and scaled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import require


def scaled(image: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    """The grey or RGB `image` (H, W) or (H, W, 3) as its central square, scaled to `size` (Lanczos).

    Without `size` the image keeps its own.
    """
    height, width = image.shape[:2]
    if size is None or (height, width) == (size, size):
        return image
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    Image = require("PIL.Image")
    square = Image.fromarray(image[top : top + short, left : left + short])
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))

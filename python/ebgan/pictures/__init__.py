"""Pictures that the systems write: grids of images, curves of what was logged, and films."""

from __future__ import annotations

from ebgan.pictures.curves import Curve, Plot, draw
from ebgan.pictures.grid import Span, image_grid, save_png
from ebgan.pictures.mp4 import write_mp4

__all__ = ["Curve", "Plot", "Span", "draw", "image_grid", "save_png", "write_mp4"]

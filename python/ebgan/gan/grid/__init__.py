"""The grid of configurations on MNIST by which the EBGAN paper compares EBGAN with the plain GAN."""

from __future__ import annotations

from ebgan.gan.grid.histograms import draw_histograms, median_gap
from ebgan.gan.grid.points import Point, points, subset
from ebgan.gan.grid.queue import Grid, Outcome

__all__ = ["Grid", "Outcome", "Point", "draw_histograms", "median_gap", "points", "subset"]

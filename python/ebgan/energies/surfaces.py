"""Pictures of energy surfaces, with the data on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.energies.points import BOX, Points, grid
from ebgan.errors import require
from ebgan.files import StrPath, replaced

CELLS = 120  # of a surface along each side
COLUMNS = 5
SHOWN = 400  # data points drawn on a surface; more would hide it


@dataclass(frozen=True)
class Surface:
    """`energies` at the centres of a grid of CELLS x CELLS; `on` and `off`: typical on and off the data."""

    title: str
    energies: NDArray[np.float64]
    on: float
    off: float

    @property
    def scaled(self) -> NDArray[np.float64]:
        """(E - on) / |off - on|, 0 on the data and 1 off it: energies of any units share their colours."""
        return (self.energies - self.on) / max(abs(self.off - self.on), np.finfo(np.float64).tiny)


def surface(title: str, of_grid: NDArray[np.float64], on: float, off: float) -> Surface:
    """The surface of the energies `of_grid` (CELLS^2,) at the points of `surface_grid`."""
    return Surface(title, of_grid.reshape(CELLS, CELLS), on, off)


def surface_grid() -> Points:
    """The points that a surface needs the energies of, in order."""
    return grid(CELLS)


def draw_panel(panel: Any, scaled: NDArray[np.float64]) -> Any:
    """Draw the `scaled` energies of a surface into matplotlib's axes `panel`; the image that came of it."""
    image = panel.imshow(
        scaled.clip(0, 1),
        extent=(-BOX, BOX, -BOX, BOX),
        origin="lower",
        cmap="viridis",
        norm=require("matplotlib.colors").PowerNorm(0.5, 0, 1),  # the root: what is low is told apart best
        interpolation="nearest",
    )
    panel.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    panel.tick_params(labelsize=7)
    return image


def draw_surfaces(surfaces: Sequence[Surface], data: Points, path: StrPath) -> None:
    """Draw `surfaces` on one colour scale, with some points of `data` on each, into the PNG `path`."""
    figure_module = require("matplotlib.figure")
    columns = min(COLUMNS, len(surfaces))
    rows = math.ceil(len(surfaces) / columns)
    size = (2.6 * columns + 1.2, 2.75 * rows) if len(surfaces) > 1 else (5.6, 4.8)
    figure = figure_module.Figure(figsize=size, dpi=120, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, each in zip(panels, surfaces, strict=False):
        image = draw_panel(panel, each.scaled)
        panel.scatter(*data[:SHOWN].T, s=1.5, color="white", linewidths=0)
        panel.set_title(each.title, fontsize=9)
    for panel in panels[len(surfaces) :]:
        panel.set_visible(False)
    bar = figure.colorbar(image, ax=list(panels), extend="both", ticks=(0, 0.1, 0.5, 1), shrink=0.8)
    bar.set_label("energy, 0 on the data, 1 off it", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    with replaced(path) as new:
        figure.savefig(new)

"""Curves of logged values over training steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ebgan.errors import require
from ebgan.files import StrPath, replaced

# Okabe and Ito's palette, told apart under every common colour blindness; line styles help in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
STYLES = ("-", "-", "--", ":")
SMOOTHING = 100  # a curve is averaged down to at most this many points, its spread drawn as a band


@dataclass(frozen=True)
class Curve:
    """One logged value and the name that a reader sees."""

    key: str
    label: str


@dataclass(frozen=True)
class Plot:
    """A picture of several curves on one axis.

    `y_label` carries the unit. The axis begins at 0. That of "shares" ends at 1; a "log" axis shows values
    of several magnitudes, which are above 0.
    """

    name: str
    title: str
    y_label: str
    curves: tuple[Curve, ...]
    axis: Literal["from 0", "shares", "log"] = "from 0"


def draw(plot: Plot, rows: Sequence[Mapping[str, float]], path: StrPath) -> None:
    """Draw `plot` from metric rows (each with "step" and the plot's keys) into the PNG `path`.

    Neighbouring rows are averaged into one point; the shaded band is from the least to the greatest value
    among them.
    """
    figure_module = require("matplotlib.figure")
    figure = figure_module.Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    size = -(-len(rows) // SMOOTHING)
    groups = np.array_split(np.arange(len(rows)), range(size, len(rows), size))
    steps = np.array([row["step"] for row in rows])
    centres = [steps[group].mean() for group in groups]
    for curve, colour, style in zip(plot.curves, COLOURS, STYLES, strict=False):
        values = np.array([row[curve.key] for row in rows])
        means = [values[group].mean() for group in groups]
        marker = "o" if len(groups) == 1 else ""  # a line through one point cannot be seen
        axes.plot(centres, means, style, marker=marker, color=colour, linewidth=1.8, label=curve.label)
        low, high = [values[group].min() for group in groups], [values[group].max() for group in groups]
        axes.fill_between(centres, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.set(title=plot.title, xlabel="training step", ylabel=plot.y_label)
    axes.set_xlim(left=0)
    if plot.axis == "log":
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1 if plot.axis == "shares" else None)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    with replaced(path) as new:
        figure.savefig(new)

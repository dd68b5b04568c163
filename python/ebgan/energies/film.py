"""The film of an EBGAN's training, and a picture of some of its moments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.energies.points import BOX, Points
from ebgan.energies.surfaces import SHOWN, draw_panel
from ebgan.energies.watch import Moment, Watch
from ebgan.errors import require
from ebgan.files import StrPath, replaced
from ebgan.pictures.curves import COLOURS
from ebgan.pictures.mp4 import write_mp4

RATE, STAYS = Fraction(25), 25  # frames a second, and how many the last one stays
SIDE, DPI = 4.4, 100  # of a frame, inches
PANELS = 5


def write_training_film(watch: Watch, data: Points, path: StrPath) -> None:
    """Write the moments of `watch` as MP4: the surface, `data` in white, the generator's points in orange."""
    with replaced(path) as new:
        write_mp4(_frames(watch.moments, data), new, rate=RATE)


def draw_training(watch: Watch, data: Points, path: StrPath) -> None:
    """Draw five moments of `watch` into the PNG `path`, above V and TV along the training."""
    moments, margin = watch.moments, watch.learner.margin
    figure = require("matplotlib.figure").Figure(figsize=(13, 5.6), dpi=120, layout="constrained")
    above, below = figure.subfigures(2, 1)
    shown = [moments[round(at)] for at in np.geomspace(1, len(moments), PANELS) - 1]
    for panel, moment in zip(above.subplots(1, PANELS), shown, strict=True):
        _draw_moment(panel, moment, data)
        panel.set_title(moment.surface.title, fontsize=9)
    steps = [moment.step for moment in moments]
    of_value, of_distance = below.subplots(1, 2)
    of_value.plot(steps, [moment.value / margin for moment in moments], color=COLOURS[0])
    of_value.axhline(1, color="grey", linestyle=":", label="V = m, where theorem 1 says p_G = p_data")
    of_value.set(ylabel="V / m", ylim=(0, None))
    of_distance.plot(steps, [moment.distance for moment in moments], color=COLOURS[1])
    of_distance.axhline(watch.least, color="grey", linestyle=":", label="two draws of the data")
    of_distance.set(ylabel="TV(data, generated)", ylim=(0, 1))
    for axes in (of_value, of_distance):
        axes.set(xlabel="training step", xlim=(0, None))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    with replaced(path) as new:
        figure.savefig(new)


def _frames(moments: Sequence[Moment], data: Points) -> Iterator[NDArray[np.uint8]]:
    figure = require("matplotlib.figure").Figure(figsize=(SIDE, SIDE), dpi=DPI)
    canvas = require("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    panel = figure.add_axes((0.08, 0.06, 0.88, 0.86))
    image, dots = _draw_moment(panel, moments[0], data)
    title = panel.set_title("", fontsize=10)
    for moment in moments:
        image.set_data(moment.surface.scaled.clip(0, 1))
        dots.set_offsets(moment.generated[:SHOWN])
        title.set_text(f"step {moment.step}: data white, generated orange")
        canvas.draw()
        frame = np.asarray(canvas.buffer_rgba())[..., :3].copy()
        yield frame
    for _ in range(STAYS):
        yield frame


def _draw_moment(panel: Any, moment: Moment, data: Points) -> tuple[Any, Any]:
    """The surface and the generator's points as matplotlib's artists."""
    image = draw_panel(panel, moment.surface.scaled)
    panel.scatter(*data[:SHOWN].T, s=1.5, color="white", linewidths=0)
    dots = panel.scatter(*moment.generated[:SHOWN].T, s=5, color=COLOURS[1], linewidths=0)
    panel.set(xlim=(-BOX, BOX), ylim=(-BOX, BOX))
    return image, dots

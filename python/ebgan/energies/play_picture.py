"""A picture of what the ways to play EBGAN's game come to, on the cells of a set of points."""

from __future__ import annotations

import numpy as np

from ebgan.energies.equilibrium import Game
from ebgan.energies.plays import Play, best_responses, gradient_play, responses_to_means
from ebgan.energies.points import Points, shares
from ebgan.errors import require
from ebgan.files import StrPath, replaced
from ebgan.pictures.curves import COLOURS

CELLS, ROUNDS = 12, 3000  # cells along each side of the box, the points of the game; rounds of each play
SHOWN = 300  # rounds of each play that are drawn, evenly on a logarithmic axis


def plays_on(points: Points) -> dict[str, tuple[Play, float]]:
    """Plays by name, each with the V of its equilibrium, m = 1; the generator begins even over the box."""
    linear = Game(shares(points, CELLS))
    curved = Game(linear.data, shaping="square")
    start = np.full_like(linear.data, 1 / len(linear.data))
    around, of_means = gradient_play(linear, start, rounds=ROUNDS)
    into, _ = gradient_play(curved, start, rounds=ROUNDS)
    return {
        "best responses": (best_responses(linear, start, rounds=ROUNDS), 1.0),
        "best responses to means": (responses_to_means(linear, start, rounds=ROUNDS), 1.0),
        "small steps": (around, 1.0),
        "mean of the small steps": (of_means, 1.0),
        "small steps, f(t) = t²": (into, 0.5),
    }


def draw_plays(points: Points, path: StrPath) -> None:
    """Draw V and TV along each play, for the cells of `points`, into the PNG `path`."""
    figure = require("matplotlib.figure").Figure(figsize=(11, 4.2), dpi=120, layout="constrained")
    of_value, of_distance = figure.subplots(1, 2)
    rounds = np.unique(np.geomspace(1, ROUNDS, SHOWN).round().astype(int))
    colours, styles, widths = ("grey", *COLOURS), ("-", "-", "-", "--", "-"), (0.5, 1.4, 1.4, 1.4, 1.4)
    looks = zip(colours, styles, widths, strict=True)
    for (name, (play, value)), (colour, style, width) in zip(plays_on(points).items(), looks, strict=True):
        look = {"color": colour, "linestyle": style, "linewidth": width}
        of_value.plot(rounds, play.values[rounds - 1] / value, label=name, **look)
        of_distance.plot(rounds, play.distances[rounds - 1], **look)
    of_value.axhline(1, color="black", linestyle=":", linewidth=0.8)
    of_value.set(ylabel="V / V of the equilibrium", ylim=(0, None))
    of_distance.set(ylabel="TV(data, generated)", ylim=(1e-4, 1), yscale="log")
    for axes in (of_value, of_distance):
        axes.set(xlabel="round", xscale="log", xlim=(1, ROUNDS))
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    of_value.legend(frameon=False, fontsize=8)
    with replaced(path) as new:
        figure.savefig(new)

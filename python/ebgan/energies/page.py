"""A page of HTML with every surface, which needs no server and no network."""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from ebgan.energies.points import BOX, Points, grid
from ebgan.energies.surfaces import CELLS, SHOWN, Surface
from ebgan.errors import require
from ebgan.files import StrPath, replaced

TOP = 1.25  # of the heights: above it a surface is flat, and only its text goes on
FIRST = "EBGAN"  # the learner that is turned on at first, where it is there

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Energies of {name}</title>
<style>
body {{ margin: 0; font-family: sans-serif; height: 100vh; display: flex; flex-direction: column }}
p {{ margin: 0.6em 1em 0 }}
.plotly-graph-div {{ flex: 1 }}
</style>
</head>
<body>
<p><b>Energies of the points of {name}.</b> A click on a learner turns it on or off, a double click turns off
all others. Drag to turn the picture; the pointer on a surface reads the energy there. A height is the root
of the energy, scaled for each learner: 0 is typical on the data (black), 1 off it.</p>
{plot}
</body>
</html>
"""


def write_page(name: str, surfaces: Sequence[tuple[int, Surface]], data: Points, path: StrPath) -> None:
    """Write the `surfaces`, each with the number of its strategy, and some points of `data` to `path`."""
    graph = require("plotly.graph_objects")
    along = grid(CELLS)[:CELLS, 0]
    titles = [each.title for _, each in surfaces]
    first = titles.index(FIRST) if FIRST in titles else 0
    traces = []
    for number, (strategy, each) in enumerate(surfaces):
        traces.append(
            graph.Surface(
                x=along.astype(np.float32),
                y=along.astype(np.float32),
                z=np.sqrt(each.scaled.clip(0, TOP**2)).astype(np.float32),
                text=np.array([[f"energy: {energy:.3g}" for energy in row] for row in each.energies]),
                name=each.title,
                hoverinfo="x+y+text+name",
                xhoverformat=".2f",
                yhoverformat=".2f",
                hoverlabel_namelength=-1,
                legendgroup=str(strategy),
                legendgrouptitle_text=f"strategy {strategy}",
                showlegend=True,
                visible=True if number == first else "legendonly",
                coloraxis="coloraxis",
            )
        )
    some = data[:SHOWN].astype(np.float32)
    on_data = graph.Scatter3d(
        x=some[:, 0],
        y=some[:, 1],
        z=np.full(len(some), 0.1, np.float32),
        mode="markers",
        marker={"size": 2, "color": "black"},
        name="data",
        hoverinfo="skip",
    )
    layout = graph.Layout(
        coloraxis={
            "colorscale": "Viridis",
            "cmin": 0,
            "cmax": 1,
            "colorbar": {"title": "height", "x": -0.05},
        },
        scene={
            "xaxis": {"title": "x", "range": [-BOX, BOX]},
            "yaxis": {"title": "y", "range": [-BOX, BOX]},
            "zaxis": {"title": "height", "range": [-0.05, TOP + 0.05]},
            "aspectratio": {"x": 1, "y": 1, "z": 0.5},
            "camera": {"eye": {"x": 0.3, "y": -1.0, "z": 1.45}},
        },
        legend={"groupclick": "toggleitem"},
        margin={"l": 0, "r": 0, "t": 35, "b": 0},
    )
    plot = graph.Figure([*traces, on_data], layout).to_html(
        full_html=False, include_plotlyjs=True, config={"displaylogo": False, "responsive": True}
    )
    with replaced(path) as new:
        new.write_text(PAGE.format(name=html.escape(name), plot=plot), encoding="utf-8")

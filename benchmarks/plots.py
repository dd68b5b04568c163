"""The picture of a result file: time by implementation, a panel for each headline operator and size."""

from __future__ import annotations

import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from benchmarks.headline import by_case, headline_clock, headline_rows, is_ours, label
from benchmarks.rows import OperatorRow, Results
from benchmarks.tables import figure, shape_text

# Okabe and Ito's palette: told apart by the colour-blind, too.
OURS, OTHERS, FLOOR = "#d55e00", "#0072b2", "#999999"


def draw_headline(results: Results, folder: pathlib.Path) -> pathlib.Path | None:
    """Writes `<benchmark>-<device>.png`; None where the file has no row of a headline operator."""
    rows = headline_rows(results)
    if not rows:
        return None
    cases = by_case(rows)
    figure_, panels = plt.subplots(
        1, len(cases), figsize=(4.2 * len(cases), 2.9), squeeze=False, layout="constrained"
    )
    for panel, ((operator, shape), of_case) in zip(panels[0], cases.items(), strict=True):
        _panel(panel, of_case, headline_clock(results))
        panel.set_title(f"{operator}\n{shape_text(shape)}", fontsize=10)
    for panel in panels[0][1:]:
        panel.set_yticklabels([])
    figure_.suptitle(f"float32, forward + backward: {results.environment.device}", fontsize=11)
    path = folder / pathlib.Path(results.file_name).with_suffix(".png")
    figure_.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure_)
    return path


def _panel(panel: Axes, rows: list[OperatorRow], clock: str) -> None:
    names = [label(row.implementation) for row in rows]
    colours = [
        OURS if is_ours(row.implementation) else FLOOR if row.implementation == "streaming" else OTHERS
        for row in rows
    ]
    times = [row.median_ms for row in rows]
    bars = panel.barh(
        names, times, xerr=[row.iqr_ms / 2 for row in rows], color=colours, error_kw={"linewidth": 0.8}
    )
    panel.bar_label(bars, labels=[figure(time) for time in times], padding=4, fontsize=9)
    panel.set_xlabel(f"{clock} time per call, ms")
    panel.set_xlim(0, 1.25 * max(row.median_ms + row.iqr_ms / 2 for row in rows))
    panel.invert_yaxis()
    panel.spines[["top", "right"]].set_visible(False)

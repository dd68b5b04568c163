"""The committed scores of video runs as a page: `python -m benchmarks.video_scores [RUN=NAME ...]`.

`runs/mine=8to8-gdl-0` first takes over the scores.json that `ebgan evaluate runs/mine` wrote, as
`benchmarks/results/video/8to8-gdl-0.json`. Then `benchmarks/results/VIDEO.md` is written from all of them,
runs that differ in nothing but their seed as one row.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.rows import RESULTS
from benchmarks.scores import committed, settings, write_page
from benchmarks.tables import table

FOLDER, PAGE = RESULTS / "video", RESULTS / "VIDEO.md"
RATES = FOLDER / "rates" / "ucf101.json"
CURVE = FOLDER / "curve" / "ucf101.json"
INTRODUCTION = """\
# Scores of video prediction

Written by `python -m benchmarks.video_scores` from the files that `ebgan evaluate` made, kept in `video/`.

- Means over windows, then over seeds, ± the deviation between seeds. Baselines have no seed.
- PSNR, SSIM and sharpness in dB as the authors' program has them; *ratio* is the strength of all edges over
  that in the real frame, 1 being as sharp: our reading of the sharpness in LeCun's deck, whose formula is in
  no source we know.
- Moving areas: where the optical flow between the real frames says that something moves; all else is black
  in prediction and target alike. *Gain*: PSNR over a copy of the last input frame, with its 95 % interval by
  paired bootstrap over windows, of each seed.
- The deck's figures are of networks trained at length on Sports1M and scored on a tenth of UCF101, whole
  frames: beside ours for their order, not for their height.
- Patches to train on are drawn uniformly over the classes of the training clips, as the authors draw them; of
  the eight classes here six have one clip.
"""

LOSSES = {"l2": "l2", "l1": "l1", "gdl": "GDL l1", "adv": "Adv", "adv+gdl": "Adv+GDL"}
BASELINES = ("last frame", "optical flow")
METRICS = {"psnr": 2, "ssim": 3, "sharpness": 2, "sharpness_ratio": 3}
HEADINGS = ("PSNR", "SSIM", "sharp dB", "ratio")

# PSNR and sharpness of the first and of the last frame, as LeCun's deck prints them.
DECK = {
    "8to8": {
        "l2": (18.3, 0.47, 16.4, 0.36),
        "l1": (21.2, 0.57, 18.3, 0.51),
        "gdl": (21.8, 0.87, 19.2, 0.79),
        "adv": (21.0, 0.65, 18.9, 0.54),
    },
    "4to1": {
        "l2": (20.1, 0.48, 14.1, 0.29),
        "l1": (22.2, 0.58, 16.0, 0.48),
        "gdl": (23.9, 0.69, 18.5, 0.60),
        "adv": (24.4, 0.95, 18.9, 1.00),
        "adv+gdl": (27.2, 0.77, 22.6, 0.68),
    },
}

Score = dict[str, Any]

# What the tables say, in words; to be read again whenever scores are taken over.
FINDINGS = {
    "8to8": """\
The deck's order of losses holds at the first frame: in PSNR l2, Adv, l1, GDL, in sharpness l2, l1, Adv,
GDL, each better than the one before (l2 and Adv within 0.1 dB). At the eighth frame it holds in
sharpness; in PSNR l2, l1 and GDL keep theirs, but Adv and Adv+GDL fall below l2, which in the deck Adv
does not. Adv+GDL is the sharpest of all at both frames and has the best PSNR at neither; the deck has it
for 4 to 1 alone. In moving areas l2, l1 and GDL beat a copy of the last frame at the eighth frame, with
every seed's interval above 0, but none does at the first, and optical flow beats all: 1,500 updates at
batch 4 are a beginning.""",
    "4to1": """\
The deck's l2, l1, GDL holds in PSNR and SSIM, at both frames, whole and in moving areas; in sharpness l2
is behind, l1 and GDL are not told apart. Adv+GDL, the deck's best, is not: GDL alone is 1.2 dB above it,
though Adv+GDL is the sharpest at the second frame; and Adv is not nearly as sharp as the deck's 0.95 to
1.00. In moving areas no loss beats a copy of the last frame yet; GDL comes closest, at the second frame
level with it (its intervals hold 0). The networks have a sixteenth of the published weights, and few
updates.""",
}


class Section(NamedTuple):
    """The subject of one table: the data, the network, its width and how long it was trained."""

    data: str
    net: str
    width: float
    steps: int


def page(scores: Mapping[str, Score], rates: Mapping[str, Any]) -> str:
    """The page of scores.json contents by name, and of how the learning rates were chosen."""
    sections: dict[Section, dict[str, dict[str, Score]]] = {}
    for name, run in sorted(scores.items(), key=_order):
        config = run["config"]
        section = Section(run["scores"]["data"], config["net"], config["width"], run["step"])
        sections.setdefault(section, {}).setdefault(config["loss"], {})[name] = run
    body = [line for each in sections.items() for line in _section(*each)]
    return "\n".join([INTRODUCTION, *body, *_rates(rates)])


def _order(item: tuple[str, Score]) -> tuple[str, int, int]:
    config = item[1]["config"]
    return config["net"], list(LOSSES).index(config["loss"]), config["seed"]


def _section(section: Section, by_loss: Mapping[str, Mapping[str, Score]]) -> list[str]:
    runs = [run for of_loss in by_loss.values() for run in of_loss.values()]
    scores = runs[0]["scores"]
    if any(run["scores"]["windows"] != scores["windows"] for run in runs):
        raise ValueError(f"{section.net}: the runs were scored on different windows; evaluate all anew")
    width = "" if section.width == 1 else f", hidden layers {section.width:g} times as wide as published"
    lines = [
        f"## {section.net} on {section.data}",
        "",
        f"{section.steps:,} updates each{width}. {scores['windows']} windows of {scores['clips']} clips, "
        f"{scores['stride']} frames apart, {' and '.join(scores['sizes'])} pixels.",
        "",
    ]
    if section.net in FINDINGS:
        lines += [FINDINGS[section.net], ""]
    for area, title in (("whole", "Whole frames"), ("moving", "Moving areas")):
        lines += [f"### {section.net}: {title.lower()}", "", *_area(section, by_loss, area), ""]
    commands = [f"- {name}: {settings(run)}" for of in by_loss.values() for name, run in of.items()]
    return [*lines, *_curve(section.net), *commands, ""]


def _area(section: Section, by_loss: Mapping[str, Mapping[str, Score]], area: str) -> list[str]:
    any_run = next(iter(next(iter(by_loss.values())).values()))
    frames = list(any_run["scores"]["frames"])
    header = ["", *(f"{heading}, {frame}" for frame in frames for heading in HEADINGS)]
    header += (
        ["deck: PSNR", "sharp", "last PSNR", "sharp"] if area == "whole" else [f"gain, {f}" for f in frames]
    )
    rows = []
    for loss, runs in by_loss.items():
        areas = [[run["scores"]["frames"][frame][area] for run in runs.values()] for frame in frames]
        cells = [cell for of_frame in areas for cell in _cells(of_frame, "generator")]
        if area == "whole":
            deck = DECK[section.net].get(loss, ())
            cells += [f"{figure:g}" for figure in deck] or [""] * 4
        else:
            cells += ["; ".join(map(_gain, of_frame)) for of_frame in areas]
        rows.append([f"{LOSSES[loss]}, {len(runs)} seed{'s' * (len(runs) > 1)}", *cells])
    for name in BASELINES:
        cells = [
            cell for frame in frames for cell in _cells([any_run["scores"]["frames"][frame][area]], name)
        ]
        rows.append([name, *cells, *[""] * (len(header) - 1 - len(cells))])
    return table(header, rows)


def _curve(net: str) -> list[str]:
    """The gain of GDL over a copy of the last frame by updates, where checkpoints were scored."""
    rows = json.loads(CURVE.read_text())[net]
    header = ["GDL l1, seed 0: updates", "windows", "gain, first frame", "gain, last frame"]
    body = [[f"{row['updates']:,}", f"{row['windows']}", *map(_interval, row["gains"])] for row in rows]
    return [*table(header, body), ""]


def _rates(rates: Mapping[str, Any]) -> list[str]:
    """The PSNR of each learning rate on clips held out from training; the chosen one is in bold."""
    rows = []
    for row in rates["rows"]:
        others = [o for o in rates["rows"] if (o["net"], o["loss"]) == (row["net"], row["loss"])]
        mark = "**" if max(others, key=lambda o: sum(o["psnr"])) is row else ""
        discriminator = "" if row["discriminator_lr"] is None else f"{row['discriminator_lr']:g}"
        means = [*row["psnr"], statistics.fmean(row["psnr"])]
        figures = [f"{row['generator_lr']:g}", discriminator, *(f"{value:.2f}" for value in means)]
        rows.append([row["net"], LOSSES[row["loss"]], *(f"{mark}{f}{mark}" if f else "" for f in figures)])
    held_out = ", ".join(rates["held_out"])
    last = "; ".join(f"{net} {a:.2f} and {b:.2f}" for net, (a, b) in rates["last_frame"].items())
    return [
        "## Learning rates",
        "",
        "Chosen by the mean of the PSNR of first and last frame in moving areas, on the training groups",
        f"{held_out}: moved to a folder `val` of a copy of `ucf101`, which `--data-root` then names. "
        f"{rates['steps']} updates,",
        f"batch {rates['batch_size']}, {rates['optimizer']}, seed {rates['seed']}, {rates['precision']}, "
        f"also to score; windows {rates['stride']} frames apart, without those where a copy",
        f"of the last frame has 50 dB. Such a copy has, in dB: {last}.",
        "",
        *table(["", "loss", "generator lr", "discriminator lr", "PSNR, first", "last", "mean"], rows),
        "",
    ]


def _cells(areas: Sequence[Mapping[str, Any]], way: str) -> list[str]:
    """Every metric of one frame: its mean over seeds and the deviation between them."""
    cells = []
    for metric, digits in METRICS.items():
        means = [area["predictions"][way]["metrics"][metric]["mean"] for area in areas]
        deviation = f" ± {statistics.stdev(means):.{digits}f}" if len(means) > 1 else ""
        cells.append(f"{statistics.fmean(means):.{digits}f}{deviation}")
    return cells


def _gain(area: Mapping[str, Any]) -> str:
    return _interval(area["gain"]["psnr"])


def _interval(gain: Mapping[str, float | None]) -> str:
    interval = "" if gain["low"] is None else f" [{gain['low']:+.2f}, {gain['high']:+.2f}]"
    return f"{gain['mean']:+.2f}{interval}"


def chosen_rates() -> dict[str, Any]:
    """The scores by which the learning rates were chosen."""
    found: dict[str, Any] = json.loads(RATES.read_text())
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    def write() -> None:
        PAGE.write_text(page(committed(FOLDER), chosen_rates()))

    return write_page("benchmarks.video_scores", __doc__, FOLDER, write, arguments)


if __name__ == "__main__":
    sys.exit(main())

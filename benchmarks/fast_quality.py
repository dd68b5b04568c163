"""Compares what runs with and without `--fast` reached: `python -m benchmarks.fast_quality FOLDER`.

FOLDER is that of `scripts/long_runs.py`, whose queue trains `quality-NAME-default-SEED` and
`quality-NAME-fast-SEED` from the same first weights and batches. This writes the scores of both, seed by
seed, to `benchmarks/results/QUALITY.md`, and their curves to `docs/pictures/fast-quality.png`. Systems of
which a run is not done are left out, and named on the page.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from benchmarks.rows import RESULTS, ROOT, today
from benchmarks.tables import table
from ebgan.errors import require
from ebgan.pictures.curves import COLOURS

PAGE, CURVES = RESULTS / "QUALITY.md", ROOT / "docs" / "pictures" / "fast-quality.png"
WAYS, SEEDS = ("default", "fast"), range(3)
POINTS = 25  # of a curve, each the mean of as many logged rows


@dataclass(frozen=True)
class Figure:
    """A score of a run, and the place of it in scores.json."""

    name: str
    place: tuple[str, ...]
    digits: int

    def of(self, scores: Mapping[str, Any]) -> float:
        found: Any = scores
        for key in self.place:
            found = found[key]
        return float(found)


def _video(frame: int) -> Figure:
    place = ("frames", f"frame {frame}", "whole", "predictions", "generator", "metrics", "psnr", "mean")
    return Figure(f"PSNR of frame {frame}, dB", place, 2)


SAMPLES = ("sets", "samples")
KID = Figure("KID", (*SAMPLES, "kid", "mean"), 4)
INCEPTION = Figure("I'", (*SAMPLES, "classes", "modified_inception_score"), 2)
ERROR = Figure("test error, share", ("mean",), 4)


@dataclass(frozen=True)
class Compared:
    """A system of the comparison: its name in the queue, what it is, its scores, and the curve to draw."""

    name: str
    title: str
    figures: tuple[Figure, ...]
    curve: str


SYSTEMS = (
    Compared("digits", "GAN, digits, 8,000 steps", (INCEPTION, KID), "fake_energy"),
    Compared("mnist", "GAN, MNIST, 2,000 steps", (INCEPTION, KID), "fake_energy"),
    Compared("dogs", "GAN, 64x64 dogs, 2,000 steps", (KID,), "fake_energy"),
    Compared("ladder-digits", "ladder, digits, 2,000 steps", (ERROR,), "denoising_cost"),
    Compared("ebgan-ladder-digits", "EBGAN-LN, digits, 2,000 steps", (ERROR,), "denoising_cost"),
    Compared("ladder-mnist", "ladder, MNIST, 2,000 steps", (ERROR,), "denoising_cost"),
    Compared("ebgan-ladder-mnist", "EBGAN-LN, MNIST, 2,000 steps", (ERROR,), "denoising_cost"),
    Compared("8to8", "video 8to8, gdl, 2,000 steps", (_video(1), _video(8)), "lp"),
    Compared("8to8-adv-gdl", "video 8to8, adv+gdl, 2,000 steps", (_video(1), _video(8)), "lp"),
    Compared("4to1", "video 4to1, gdl, 2,000 steps", (_video(1), _video(2)), "lp"),
)


def scores_of(folder: pathlib.Path, system: Compared) -> dict[str, list[Mapping[str, Any]]] | None:
    """The scores of each way by seed; None where a run is not done."""
    files = {way: [folder / f"quality-{system.name}-{way}-{seed}" for seed in SEEDS] for way in WAYS}
    if not all((run / "scores.json").exists() for runs in files.values() for run in runs):
        return None
    return {
        way: [json.loads((run / "scores.json").read_text())["scores"] for run in runs]
        for way, runs in files.items()
    }


def within_spread(default: Sequence[float], fast: Sequence[float]) -> bool:
    """Whether the means differ by no more than twice the standard error of their difference."""
    error = ((stdev(default) ** 2 + stdev(fast) ** 2) / len(default)) ** 0.5
    return abs(mean(default) - mean(fast)) <= 2 * error


def rows(found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> list[list[str]]:
    """A row for every system and figure."""
    lines = []
    for system in SYSTEMS:
        if system.name not in found:
            continue
        for figure in system.figures:
            values = {way: [figure.of(scores) for scores in found[system.name][way]] for way in WAYS}
            cells = [
                f"{mean(each):.{figure.digits}f} ± {stdev(each):.{figure.digits}f}"
                f" ({', '.join(f'{value:.{figure.digits}f}' for value in each)})"
                for each in values.values()
            ]
            verdict = "equal to the bit" if values["default"] == values["fast"] else "no"
            if verdict == "no" and within_spread(*values.values()):
                verdict = "yes"
            lines.append([system.title, figure.name, *cells, verdict])
    return lines


def page(found: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> str:
    missing = [system.title for system in SYSTEMS if system.name not in found]
    header = ("system", "score", "default: mean ± deviation (seeds)", "--fast", "within the spread")
    lines = [
        "# Does `--fast` keep the quality?",
        "",
        "Three seeds of each system, with `--fast` and without, from the same first weights and batches,",
        "trained one after the other on one thread of an AMD EPYC with AVX512-BF16 by",
        f"`scripts/long_runs.py`, {today()}; this page is made by `python -m benchmarks.fast_quality`.",
        "*Within the spread*: the means differ by no more than twice the standard error of their",
        "difference. Runs in which `--fast` sets no switch are equal to the bit.",
        "",
        *table(header, rows(found)),
        "",
        f"![Curves of training, default and fast]({pathlib.Path('../../docs/pictures') / CURVES.name})",
        "",
    ]
    if missing:
        lines += [f"Not done yet: {'; '.join(missing)}.", ""]
    return "\n".join(lines)


def draw(folder: pathlib.Path, systems: Sequence[Compared]) -> None:
    """The curves of all systems, a panel each; every seed is a line."""
    across = 3
    down = -(-len(systems) // across)
    figure = require("matplotlib.figure").Figure(figsize=(4.2 * across, 2.9 * down), layout="constrained")
    for number, system in enumerate(systems, 1):
        axes = figure.add_subplot(down, across, number)
        for way, colour, style in zip(WAYS, COLOURS, ("-", "--"), strict=False):
            for seed in SEEDS:
                log = folder / f"quality-{system.name}-{way}-{seed}" / "metrics.jsonl"
                logged = [json.loads(line) for line in log.read_text().splitlines()]
                size = -(-len(logged) // POINTS)
                groups = [logged[at : at + size] for at in range(0, len(logged), size)]
                steps, values = (
                    [mean(row[key] for row in group) for group in groups] for key in ("step", system.curve)
                )
                label = way if seed == 0 else None
                axes.plot(steps, values, style, color=colour, linewidth=1.2, label=label)
        axes.set_title(system.title, fontsize=10)
        axes.set_ylabel(re.sub("_", " ", system.curve), fontsize=9)
        axes.set_xlabel("training step", fontsize=9)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False)
    CURVES.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(CURVES, dpi=90, metadata={"Software": None})


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fast_quality", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args(arguments).folder
    found = {system.name: scores for system in SYSTEMS if (scores := scores_of(folder, system))}
    if not found:
        parser.error(f"{folder} holds no system whose six runs are scored")
    draw(folder, [system for system in SYSTEMS if system.name in found])
    PAGE.write_text(page(found))
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

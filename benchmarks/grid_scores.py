"""The paper's grid on MNIST, EBGAN beside the plain GAN: `python -m benchmarks.grid_scores FOLDER`.

FOLDER is that of `ebgan train grid`. This writes I' of every point that is done to
`benchmarks/results/GRID.md`, with the gap of the medians by depth, and the paper's figures 2 and 3 to
`docs/pictures/grid-histograms.png` and `docs/pictures/grid-depths.png`.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import textwrap
from collections.abc import Sequence
from statistics import median
from typing import get_args

from benchmarks.rows import RESULTS, ROOT, today
from benchmarks.tables import table
from ebgan.gan.config import Model
from ebgan.gan.grid import Outcome, draw_histograms, median_gap, points
from ebgan.gan.grid.histograms import CUTS, DEPTHS, NAMES
from ebgan.gan.grid.queue import read_outcome

PAGE, PICTURES = RESULTS / "GRID.md", ROOT / "docs" / "pictures"


def outcomes_of(folder: pathlib.Path) -> list[Outcome]:
    """The outcomes of the points whose runs lie in the folder and are scored."""
    found = (read_outcome(point, folder) for model in get_args(Model) for point in points(model))
    return [outcome for outcome in found if outcome is not None]


def page(outcomes: Sequence[Outcome]) -> str:
    by_model = {
        model: sorted((each for each in outcomes if each.point.model == model), key=_score, reverse=True)
        for model in NAMES
    }
    gaps = []
    once = {cut: title for title, cut in {**DEPTHS, **CUTS}.items()}  # at most 3 layers are 2 or 3
    for (least, most), title in once.items():
        among = [each for each in outcomes if least <= each.point.layers <= most]
        scores = {model: [_score(each) for each in among if each.point.model == model] for model in NAMES}
        medians = [f"{median(each):.2f} ({len(each)})" if each else "" for each in scores.values()]
        gaps.append([title, *medians, str(median_gap(among) or "")])
    lines = [
        "# The paper's grid on MNIST",
        "",
        *textwrap.wrap(
            f"I' of {len(by_model['ebgan'])} of the paper's 512 EBGANs and {len(by_model['gan'])} of its"
            f" 6,144 GANs, drawn at random, each after {max(each.step for each in outcomes):,} updates;"
            f" one seed each, 2,500 images, {today()}. `ebgan train grid --subset 16 --steps 3000 --fast`"
            " trained them on an AMD EPYC; `python -m benchmarks.grid_scores FOLDER` makes this page.",
            100,
        ),
        "",
        "![Histograms of I'](../../docs/pictures/grid-histograms.png)",
        "",
        "![The same by depth](../../docs/pictures/grid-depths.png)",
        "",
        "Medians, with the number of points, and the gap with its 95 % bootstrap interval. Layers are those",
        "of the deeper of the two networks.",
        "",
        *table(["points", *NAMES.values(), "EBGAN less GAN"], gaps),
        "",
        "I' near 0 says that all samples are alike to the score network: the generator has collapsed.",
        "",
        "A point is its generator's hidden layers x units, its discriminator's, dropout, and for a GAN the",
        "optimisers of both and their rate.",
        "",
        *table(
            ["point", "I'", "updates"],
            [
                [each.point.name, f"{_score(each):.3f}", f"{each.step:,}"]
                for ranked in reversed(by_model.values())
                for each in ranked
            ],
        ),
        "",
    ]
    return "\n".join(lines)


def _score(outcome: Outcome) -> float:
    return outcome.modified_inception_score


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grid_scores", description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args(arguments).folder
    outcomes = outcomes_of(folder)
    if not outcomes:
        parser.error(f"{folder} holds no point that is scored; ebgan train grid --out {folder} trains them")
    draw_histograms(outcomes, PICTURES / "grid-histograms.png")
    draw_histograms(outcomes, PICTURES / "grid-depths.png", DEPTHS)
    PAGE.write_text(page(outcomes))
    print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())

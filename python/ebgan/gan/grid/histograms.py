"""The paper's figures 2 and 3: how the scores of the grid's points are spread, EBGAN beside the plain GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebgan.errors import require
from ebgan.files import StrPath, replaced
from ebgan.gan.config import Model
from ebgan.gan.grid.queue import Outcome
from ebgan.pictures.curves import COLOURS

RESAMPLES, LEVEL = 10_000, 0.95
BINS = 12
NAMES: Mapping[Model, str] = {"gan": "GAN", "ebgan": "EBGAN"}
# The paper's figure 2 cuts the grid by depth from above, its figure 3 into the depths.
CUTS = {"all": (2, 5), "at most 4 layers": (2, 4), "at most 3 layers": (2, 3)}
DEPTHS = {"2 or 3 layers": (2, 3), "4 layers": (4, 4), "5 layers": (5, 5)}


@dataclass(frozen=True)
class Interval:
    """An estimate, and the ends of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def median_gap(outcomes: Sequence[Outcome], *, seed: int = 0) -> Interval | None:
    """The median score of EBGAN less that of the plain GAN; None where there is no point of one of them."""
    ours, theirs = (_scores(outcomes, model) for model in ("ebgan", "gan"))
    if not len(ours) or not len(theirs):
        return None
    random = np.random.default_rng(seed)
    gaps = np.median(_resampled(ours, random), 1) - np.median(_resampled(theirs, random), 1)
    low, high = np.quantile(gaps, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(np.median(ours) - np.median(theirs)), float(low), float(high))


def draw_histograms(
    outcomes: Sequence[Outcome], path: StrPath, cuts: Mapping[str, tuple[int, int]] = CUTS
) -> None:
    """Draw a histogram for each cut by the layers of the deeper network into the PNG `path`.

    Bars are shares of a model's points, whiskers their bootstrap intervals.
    """
    figure = require("matplotlib.figure").Figure(figsize=(4.6 * len(cuts), 4), dpi=120, layout="constrained")
    largest = max((outcome.modified_inception_score for outcome in outcomes), default=1.0)
    edges = np.linspace(0, max(largest, 1e-6), BINS + 1)
    for axes, (title, (least, most)) in zip(
        np.atleast_1d(figure.subplots(1, len(cuts), sharey=True)), cuts.items(), strict=True
    ):
        among = [outcome for outcome in outcomes if least <= outcome.point.layers <= most]
        gap = median_gap(among)
        axes.set_title(title if gap is None else f"{title}\nmedian of EBGAN less GAN: {gap}", fontsize=10)
        for place, (model, name) in enumerate(NAMES.items()):
            scores = _scores(among, model)
            shares, errors = _bars(scores, edges)
            width = (edges[1] - edges[0]) * 0.42
            axes.bar(
                edges[:-1] + width * (0.6 + place),
                100 * shares,
                width,
                yerr=100 * errors,
                error_kw={"elinewidth": 0.8, "ecolor": "0.3"},
                color=COLOURS[1 - place],
                label=f"{name}, {len(scores)} points",
            )
        axes.set(xlabel="I' (higher is better)", ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9)
    figure.axes[0].set_ylabel("share of the points, %")
    with replaced(path) as new:
        figure.savefig(new)


def _scores(outcomes: Sequence[Outcome], model: Model) -> NDArray[np.float64]:
    return np.array([each.modified_inception_score for each in outcomes if each.point.model == model])


def _bars(
    scores: NDArray[np.float64], edges: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The share of the scores in each bin, and how far its interval reaches below and above."""
    if not len(scores):
        return np.zeros(len(edges) - 1), np.zeros((2, len(edges) - 1))
    bins = np.clip(np.searchsorted(edges, scores, "right") - 1, 0, len(edges) - 2)
    inside = (bins[:, None] == np.arange(len(edges) - 1)).astype(float)
    shares: NDArray[np.float64] = inside.mean(0)
    random = np.random.default_rng(0)
    drawn = random.multinomial(len(scores), shares, size=RESAMPLES) / len(scores)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return shares, np.maximum(np.stack([shares - low, high - shares]), 0)


def _resampled(scores: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    return scores[random.integers(0, len(scores), (RESAMPLES, len(scores)))]

"""The results of an evaluation, and the tables that they print as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000

_COLUMNS = {
    "psnr": ("PSNR dB", 2),
    "ssim": ("SSIM", 3),
    "sharpness": ("sharpness dB", 2),
    "sharpness_ratio": ("sharpness ratio", 3),
}
_NAME, _CELL = 24, 25
_LEGEND = """\
Mean ± deviation over windows; gain with its 95 % interval. PSNR, SSIM and sharpness in dB as the authors'
program has them. Sharpness ratio: the strength of all edges over that in the real frame, 1 being as sharp;
our reading of the deck's sharpness, whose formula is in no source we know."""


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation over windows; of one window there is no deviation."""

    mean: float
    std: float | None


@dataclass(frozen=True)
class Gain:
    """Mean over windows of a metric of the generator less that of the last frame, and its 95 % interval.

    One window has no interval.
    The interval is by paired bootstrap: the windows are drawn anew, with replacement, 10,000 times. Windows
    of one clip are alike, which the bootstrap does not know: with few clips the true interval is wider.
    """

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Prediction:
    """The metrics of one way to predict, over `windows` windows; `skipped` others had too little to see."""

    windows: int
    skipped: int
    metrics: Mapping[str, Statistics]


@dataclass(frozen=True)
class Area:
    """One predicted frame, whole or where it moves: ways to predict it, and what the generator gains.

    The gain is over the `paired_windows` that count for the generator and for the last frame.
    """

    predictions: Mapping[str, Prediction]
    paired_windows: int
    gain: Mapping[str, Gain]


@dataclass(frozen=True)
class VideoScores:
    """Scores by predicted frame ("frame 1") and area ("whole", "moving"); their `str` is a table.

    Means and deviations are over the windows that count. Names of metrics: `ebgan.video.METRICS`.
    """

    data: str
    clips: int
    windows: int
    windows_there: int
    sizes: tuple[str, ...]
    input_frames: int
    predicted_frames: int
    stride: int
    seed: int
    frames: Mapping[str, Mapping[str, Area]]

    def _scored(self) -> str:
        """The number of windows that were scored, "50 of 800 windows" where not all were."""
        every = f" of {self.windows_there}" if self.windows < self.windows_there else ""
        return f"{self.windows}{every} windows"

    def __str__(self) -> str:
        lines = [
            f"{self.data}, {self.clips} clips: {self._scored()} of {self.input_frames} + "
            f"{self.predicted_frames} frames of {' and '.join(self.sizes)}, {self.stride} apart"
        ]
        for frame, areas in self.frames.items():
            for area, found in areas.items():
                titles = "".join(f"{title:>{_CELL}}" for title, _ in _COLUMNS.values())
                lines += ["", f"{f'{frame}, {area}':<{_NAME}}{titles}   windows"]
                for name, one in found.predictions.items():
                    lines.append(f"{name:<{_NAME}}{_statistics(one)}{one.windows:>10}")
                if found.gain:
                    lines.append(
                        f"{'gain over last frame':<{_NAME}}{_gains(found)}{found.paired_windows:>10}"
                    )
        return "\n".join([*lines, "", _LEGEND])


def statistics(values: NDArray[np.float64]) -> Statistics:
    """The mean and deviation of one value a window."""
    return Statistics(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else None)


def paired_bootstrap(differences: NDArray[np.float64], *, seed: int) -> list[Gain]:
    """Means and 95 % intervals of the columns of `differences`, which has a row a window, one or more."""
    random, count = np.random.default_rng(seed), len(differences)
    if count == 1:
        return [Gain(float(value), None, None) for value in differences[0]]
    drawn = (random.multinomial(count, np.full(count, 1 / count), size=100) for _ in range(RESAMPLES // 100))
    means = np.concatenate([times @ differences / count for times in drawn])
    columns = differences.mean(0), *np.quantile(means, (0.025, 0.975), axis=0)
    return [Gain(*map(float, column)) for column in zip(*columns, strict=True)]


def _statistics(one: Prediction) -> str:
    if not one.windows:
        return "".join(f"{'none counts':>{_CELL}}" for _ in _COLUMNS)
    cells = ((one.metrics[name], digits) for name, (_, digits) in _COLUMNS.items())
    return "".join(f"{_statistic(each, digits):>{_CELL}}" for each, digits in cells)


def _statistic(one: Statistics, digits: int) -> str:
    mean = f"{one.mean:.{digits}f}"
    return mean if one.std is None else f"{mean} ± {one.std:.{digits}f}"


def _gains(area: Area) -> str:
    cells = ((area.gain[name], digits) for name, (_, digits) in _COLUMNS.items())
    return "".join(f"{_gain(each, digits):>{_CELL}}" for each, digits in cells)


def _gain(one: Gain, digits: int) -> str:
    mean = f"{one.mean:+.{digits}f}"
    if one.low is None or one.high is None:
        return mean
    return f"{mean} [{one.low:+.{digits}f}, {one.high:+.{digits}f}]"

"""The results of an evaluation, and the table that they print as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ebgan.gan.scores.kid import KID

_CLASS_HEADER = "        I'   inception  mean top p"


@dataclass(frozen=True)
class ClassScores:
    """Scores of images by a classifier (see `ebgan.gan.scores.inception`); `shares` has class names."""

    modified_inception_score: float
    inception_score: float
    mean_top_probability: float
    shares: Mapping[str, float]


@dataclass(frozen=True)
class SetScores:
    """The scores of `count` images; `classes` is None where the network's classes are not the data's."""

    count: int
    kid: KID
    classes: ClassScores | None


@dataclass(frozen=True)
class Scores:
    """Scores of named sets of images by the score network `network`, whose weights hash to `sha256`.

    Its `str` is a table: a line for each set, then the class shares.
    """

    network: str
    sha256: str
    seed: int
    sets: Mapping[str, SetScores]

    def __str__(self) -> str:
        classified = {name: one.classes for name, one in self.sets.items() if one.classes is not None}
        lines = [
            f"score network {self.network}, SHA-256 {self.sha256}; seed {self.seed}",
            f"{'':<12}{'images':>8}{'KID':>21}{_CLASS_HEADER if classified else ''}",
        ]
        for name, one in self.sets.items():
            lines.append(f"{name:<12}{one.count:>8,}{one.kid!s:>21}{_row(one.classes)}")
        if classified:
            names = next(iter(classified.values())).shares
            lines += ["", f"{'shares, %':<12}" + "".join(f"{label:>6}" for label in names)]
        for name, classes in classified.items():
            lines.append(f"{name:<12}" + "".join(f"{100 * share:>6.1f}" for share in classes.shares.values()))
        return "\n".join(lines)


def _row(classes: ClassScores | None) -> str:
    if classes is None:
        return ""
    return (
        f"{classes.modified_inception_score:>10.3f}{classes.inception_score:>12.3f}"
        f"{classes.mean_top_probability:>12.3f}"
    )

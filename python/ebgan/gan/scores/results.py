"""The results of an evaluation, and the table that they print as."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ebgan.gan.scores.extractor import Distances
from ebgan.gan.scores.kid import KID
from ebgan.gan.scores.manifold import ManifoldScores
from ebgan.gan.scores.nearest import NearestScores

_HEADER = " precision  recall  density  coverage"
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
    manifold: ManifoldScores
    classes: ClassScores | None


@dataclass(frozen=True)
class OwnScores:
    """FID and KID of each set in the features of the user's extractor, the file `path` of hash `sha256`."""

    path: str
    sha256: str
    sets: Mapping[str, Distances]

    def __str__(self) -> str:
        lines = [
            f"extractor {self.path}, SHA-256 {self.sha256}",
            f"{'':<12}{'images':>8}{'FID':>12}{'KID':>21}",
            *(f"{name:<12}{one.count:>8,}{one.fid:>12.4g}{one.kid!s:>21}" for name, one in self.sets.items()),
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Scores:
    """Scores of named sets of images by the score network `network`, whose weights hash to `sha256`.

    `separation` is the AUC of the discriminator's energies, and None where it has none; it and `nearest` are
    None where no real images were held out; `own` is None without an extractor of the user's. `str` makes a
    table: a line for each set, then the rest.
    """

    network: str
    sha256: str
    seed: int
    sets: Mapping[str, SetScores]
    separation: float | None
    nearest: NearestScores | None
    own: OwnScores | None = None

    def __str__(self) -> str:
        classified = {name: one.classes for name, one in self.sets.items() if one.classes is not None}
        lines = [
            f"score network {self.network}, SHA-256 {self.sha256}; seed {self.seed}",
            f"{'':<12}{'images':>8}{'KID':>21}{_HEADER}{_CLASS_HEADER if classified else ''}",
        ]
        for name, one in self.sets.items():
            lines.append(
                f"{name:<12}{one.count:>8,}{one.kid!s:>21}{_manifold(one.manifold)}{_row(one.classes)}"
            )
        if classified:
            names = next(iter(classified.values())).shares
            lines += ["", f"{'shares, %':<12}" + "".join(f"{label:>6}" for label in names)]
        for name, classes in classified.items():
            lines.append(f"{name:<12}" + "".join(f"{100 * share:>6.1f}" for share in classes.shares.values()))
        if self.separation is not None:
            lines += [
                "",
                f"AUC {self.separation:.3f} of the energies of held-out against generated ones (0.5: alike)",
            ]
        if self.nearest is not None:
            lines += ["", _nearest(self.nearest)]
        if self.own is not None:
            lines += ["", str(self.own)]
        return "\n".join(lines)


def _manifold(scores: ManifoldScores) -> str:
    return f"{scores.precision:>10.3f}{scores.recall:>8.3f}{scores.density:>9.3f}{scores.coverage:>10.3f}"


def _nearest(scores: NearestScores) -> str:
    return (
        f"distance to the nearest training image: {scores.samples:.3f} of samples, {scores.held_out:.3f} "
        f"of held-out images (medians), ratio {scores.ratio:.2f}; nearer than 99 % of the held-out are "
        f"{100 * scores.copies:.1f} % of {scores.count:,} samples"
    )


def _row(classes: ClassScores | None) -> str:
    if classes is None:
        return ""
    return (
        f"{classes.modified_inception_score:>10.3f}{classes.inception_score:>12.3f}"
        f"{classes.mean_top_probability:>12.3f}"
    )

"""Learners side by side on one set of points: scores, surfaces, and the files that keep them."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ebgan.energies.ebgan import EBGAN
from ebgan.energies.film import draw_training, write_training_film
from ebgan.energies.learners import kind_of
from ebgan.energies.page import write_page
from ebgan.energies.play_picture import draw_plays
from ebgan.energies.points import BOX
from ebgan.energies.scores import Scores, scores
from ebgan.energies.sets import DISTANCE, PointSet
from ebgan.energies.surfaces import Surface, draw_surfaces, surface, surface_grid
from ebgan.energies.watch import Watch
from ebgan.errors import UserError
from ebgan.files import StrPath, replaced
from ebgan.training.meter import meter

PICTURE, REPORT, PAGE, PLAYS = "surfaces.png", "energies.json", "surfaces.html", "plays.png"
FILM, TRAINING = "ebgan.mp4", "ebgan.png"
OFF = 2000  # points off the data
LOW = 0.25  # 0 and 1 of a surface's scale: a quarter of the points on the data, and off it, has less energy


@dataclass(frozen=True)
class Result:
    """A learner's scores, the seconds that its `fit` took, and its surface."""

    name: str
    strategy: int
    scores: Scores
    seconds: float
    surface: Surface


@dataclass(frozen=True)
class Comparison:
    """The results of several learners on one set of points; where EBGAN is among them, what became of it."""

    data: PointSet
    seed: int
    results: tuple[Result, ...]
    watch: Watch | None

    def table(self) -> str:
        """Strategy, name, AUC, mean energies and seconds of each learner, a line each."""
        lines = [f"{'strategy':8}  {'learner':22} {'AUC':>6} {'mean on':>9} {'mean off':>9} {'seconds':>8}"]
        for each in self.results:
            score = each.scores
            lines.append(
                f"{each.strategy:<8}  {each.name:22} {score.auc:6.3f} {score.mean_on:9.3g} "
                f"{score.mean_off:9.3g} {each.seconds:8.1f}"
            )
        return "\n".join(lines)

    def files(self) -> dict[str, str]:
        """The name of each file that is written, and what it shows."""
        of_ebgan = {TRAINING: "EBGAN while it trains, with V and TV", FILM: "the same as a film"}
        return {
            PICTURE: "all surfaces",
            "surface-NAME.png": "the surface of a learner",
            PAGE: "all surfaces, to turn and to read, for any browser",
            **(of_ebgan if self.watch else {}),
            PLAYS: "V and TV along plays of EBGAN's game",
            REPORT: "scores",
        }

    def write(self, folder: StrPath) -> None:
        """Write the files that `files` names."""
        folder = Path(folder)
        draw_surfaces([each.surface for each in self.results], self.data.points, folder / PICTURE)
        for each in self.results:
            draw_surfaces([each.surface], self.data.points, folder / f"surface-{each.name}.png")
        write_page(
            self.data.name,
            [(each.strategy, each.surface) for each in self.results],
            self.data.points,
            folder / PAGE,
        )
        if self.watch:
            draw_training(self.watch, self.data.points, folder / TRAINING)
            write_training_film(self.watch, self.data.points, folder / FILM)
        draw_plays(self.data.points, folder / PLAYS)
        report = {
            "data": self.data.name,
            "points": len(self.data.points),
            "held out": len(self.data.held_out),
            "seed": self.seed,
            "box": BOX,
            "distance off the data": DISTANCE,
            "learners": {
                each.name: {
                    "strategy": each.strategy,
                    **dataclasses.asdict(each.scores),
                    "seconds": round(each.seconds, 2),
                }
                for each in self.results
            },
        }
        with replaced(folder / REPORT) as new:
            new.write_text(json.dumps(report, indent=2) + "\n")


def compare(data: PointSet, names: Sequence[str], *, seed: int = 0) -> Comparison:
    """Fit the learners `names` to `data` one after the other, with a progress bar, and score each.

    On the data are the points held out; off it are points uniform in the box of side 3 around the origin
    that are 0.15 or further from every point of the set.

    Raises:
        UserError: there is no such learner, or a learner cannot learn from these points.
    """
    if not names:
        raise UserError("learners: got none, name at least one")
    kinds = {name: kind_of(name) for name in names}
    learners = {name: kind.make(seed) for name, kind in kinds.items()}
    off = data.off(OFF, seed=seed)
    results, watch = [], None
    with meter(sum(each.steps for each in learners.values())) as progress:
        for name, learner in learners.items():
            began = time.perf_counter()
            if isinstance(learner, EBGAN):
                watch = Watch(learner, data)
                learner.fit(data.points, after_step=_both(watch, progress.update))
                began += watch.seconds
            else:
                learner.fit(data.points, after_step=progress.update)
            seconds = time.perf_counter() - began
            of_on, of_off = learner.energy(data.held_out), learner.energy(off)
            drawn = surface(
                kinds[name].title,
                learner.energy(surface_grid()),
                float(np.quantile(of_on, LOW)),
                float(np.quantile(of_off, LOW)),
            )
            results.append(Result(name, kinds[name].strategy, scores(of_on, of_off), seconds, drawn))
    return Comparison(data, seed, tuple(results), watch)


def _both(first: Callable[[], object], second: Callable[[], object]) -> Callable[[], object]:
    return lambda: (first(), second())

"""The command `ebgan train grid`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from ebgan.cli.options import DataRoot, option
from ebgan.data.batches import available_processors
from ebgan.errors import at_least
from ebgan.gan.config import Model
from ebgan.gan.grid import Grid, Point, draw_histograms, points, subset
from ebgan.gan.grid.histograms import DEPTHS as BY_DEPTH
from ebgan.gan.grid.histograms import median_gap

HISTOGRAMS, DEPTHS = "histograms.png", "depths.png"


@dataclass(frozen=True)
class TrainGrid:
    """Train and score the EBGAN paper's grid of configurations on MNIST, or a random share of it.

    Every point is a run of its own below the folder; several train side by side, each on one thread. What is
    done is kept: stopped or killed, the same command goes on, and a larger --subset adds to a smaller one.
    The command prints I' of each and writes histograms.png and depths.png, the paper's figures 2 and 3.
    """

    model: Literal["both", "ebgan", "gan"] = "both"
    """Model whose points are run: of ebgan there are 512, of gan 6,144."""
    subset: Annotated[
        int | None, option("Number of points of each model, drawn at random.", "all of them", kind=int)
    ] = None
    steps: int = 10_000
    """Number of training steps of each run."""
    data: str = "mnist"
    """Data set: mnist, fashion-mnist or digits."""
    data_root: DataRoot = None
    seed: int = 0
    """Seed of the choice of the subset and of every run."""
    fast: bool = False
    """Set the switches that were measured to be fastest on this device."""
    workers: Annotated[
        int | None, option("Number of runs side by side.", "one for each processor", kind=int)
    ] = None
    out: Annotated[Path | None, option("Folder of the runs and pictures.", "runs/grid-DATA")] = None

    def run(self) -> None:
        at_least("seed", self.seed, 0)
        workers = available_processors() if self.workers is None else self.workers
        at_least("workers", workers, 1)
        chosen: list[Point] = []
        for model in get_args(Model):
            if self.model in ("both", model):
                of_model = points(model)
                count = len(of_model) if self.subset is None else self.subset
                chosen += subset(of_model, count, seed=self.seed)
        out = self.out or Path("runs") / f"grid-{self.data}"
        grid = Grid(
            chosen,
            out,
            steps=self.steps,
            data=self.data,
            data_root=self.data_root,
            seed=self.seed,
            fast=self.fast,
        )
        grid.run(workers)
        outcomes = grid.outcomes()
        draw_histograms(outcomes, out / HISTOGRAMS)
        draw_histograms(outcomes, out / DEPTHS, BY_DEPTH)
        gap = median_gap(outcomes)
        if gap is not None:
            print(f"median I' of EBGAN less that of the GAN: {gap}")
        print(f"histograms: {out / HISTOGRAMS}\ndepths: {out / DEPTHS}")

"""`ebgan evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ebgan.cli.options import option
from ebgan.scores import SCORES, evaluate_run
from ebgan.training import choose_device


@dataclass(frozen=True)
class Evaluate:
    """Score the samples of a trained generator, beside real images and two sources that training should beat.

    Prints, and writes to scores.json in the run folder: the kernel inception distance (KID, lower is better)
    by a small network that comes with the package, for MNIST also I' and the inception score (higher is
    better), the share of each class and the mean top probability of its classifier.

    There are scores for MNIST at 32x32 and for images at 64x64.
    """

    run_folder: tyro.conf.Positional[Path]
    """Run folder, such as runs/gan-mnist."""
    samples: int = 10_000
    """Number of samples."""
    seed: int = 0
    """Seed of the noise, and of the choice of real images."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:NUMBER."""
    data_root: Annotated[
        Path | None,
        option("folder of the data sets; of images their own folder or zip", "EBGAN_DATA of the environment"),
    ] = None

    def run(self) -> None:
        device = choose_device(self.device)
        scores = evaluate_run(
            self.run_folder, count=self.samples, seed=self.seed, device=device, data_root=self.data_root
        )
        print(f"{scores}\n\nscores: {self.run_folder / SCORES}")

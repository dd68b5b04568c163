"""The command `ebgan sample`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from ebgan.cli.options import CheckpointStep, Device, TrainedRun
from ebgan.errors import at_least, one_of
from ebgan.gan import sample
from ebgan.pictures import image_grid, save_png
from ebgan.systems import trained_generator
from ebgan.training import choose_device


@dataclass(frozen=True)
class Sample:
    """Draw images from the generator of a trained GAN, or EBGAN-LN, and write them into one picture."""

    run_folder: TrainedRun
    """Folder of the run whose generator to use, such as runs/gan-mnist."""
    count: int = 64
    """Number of images to draw."""
    out: Path = Path("samples.png")
    """PNG file to write."""
    seed: int = 0
    """Seed of the noise."""
    step: CheckpointStep = None
    device: Device = "auto"

    def run(self) -> None:
        at_least("count", self.count, 1)
        at_least("seed", self.seed, 0)
        one_of("out", self.out.suffix, (".png",))
        generator = trained_generator(self.run_folder, choose_device(self.device), step=self.step)
        images = sample(generator, self.count, seed=self.seed)
        save_png(image_grid(images, columns=math.ceil(math.sqrt(self.count))), self.out)
        print(f"{self.count} samples: {self.out}")

"""The command `ebgan sample`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from ebgan.cli.options import CheckpointStep, Device, TrainedRun, option
from ebgan.errors import at_least, one_of
from ebgan.files import replaced
from ebgan.gan import Generator, sample, walk
from ebgan.pictures import image_grid, save_png, write_mp4
from ebgan.systems import trained_generator
from ebgan.training import choose_device

# Images in each walk of a PNG, and frames of an MP4, which lasts four seconds.
WALK, FRAMES, RATE = 10, 100, Fraction(25)


@dataclass(frozen=True)
class Sample:
    """Draw images from the generator of a trained GAN, or EBGAN-LN, and write them into one picture.

    With --interpolate they turn into others: in a PNG each row is a walk from one image to another, and in an
    MP4 all walks go on side by side, once around and back to where they began.
    """

    run_folder: TrainedRun
    """Folder of the run whose generator to use, such as runs/gan-mnist."""
    count: int = 64
    """Number of images to draw."""
    out: Path = Path("samples.png")
    """PNG file to write, with --interpolate also MP4."""
    interpolate: Annotated[
        int | None, option("Number of walks to show in place of --count images.", kind=int)
    ] = None
    seed: int = 0
    """Seed of the noise."""
    step: CheckpointStep = None
    device: Device = "auto"

    def run(self) -> None:
        at_least("count", self.count, 1)
        at_least("seed", self.seed, 0)
        one_of("out", self.out.suffix, (".png",) if self.interpolate is None else (".png", ".mp4"))
        generator = trained_generator(self.run_folder, choose_device(self.device), step=self.step)
        if self.interpolate is not None:
            self._write_walks(generator, self.interpolate)
            return
        images = sample(generator, self.count, seed=self.seed)
        save_png(image_grid(images, columns=math.ceil(math.sqrt(self.count))), self.out)
        print(f"{self.count} samples: {self.out}")

    def _write_walks(self, generator: Generator, walks: int) -> None:
        film = self.out.suffix == ".mp4"
        steps = FRAMES if film else WALK
        images = walk(generator, walks, steps=steps, seed=self.seed, closed=film)
        if film:
            pictures = (image_grid(frame, columns=math.ceil(math.sqrt(walks))) for frame in images)
            with replaced(self.out) as new:
                write_mp4(pictures, new, rate=RATE)
        else:
            save_png(image_grid(images.transpose(0, 1).flatten(0, 1), columns=steps), self.out)
        print(f"{walks} walks of {steps} {'frames' if film else 'images'}: {self.out}")

"""The command `ebgan transfer`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ebgan.cli.options import CheckpointStep, DataRoot, Device, TrainedRun, option
from ebgan.disentangle.pictures import transfer
from ebgan.pictures import save_png
from ebgan.training import choose_device


@dataclass(frozen=True)
class Transfer:
    """Draw test images with their identities and styles exchanged by a trained run of disentangling.

    It writes swaps.png (the identity of the image above, the style of the image on the left),
    interpolation.png (between two images, style downwards and identity to the right) and samples.png
    (styles drawn at random). Where poses are known it also writes poses.png, with the true images below.
    """

    run_folder: TrainedRun
    """Folder of the run, such as runs/disentangle-digits."""
    factor: Annotated[
        str | None,
        option(
            "Factor that differs between the images of poses.png, such as azimuth.",
            "that of most values",
            kind=str,
        ),
    ] = None
    seed: int = 0
    """Seed of the choice of images and of the styles that are drawn."""
    out: Annotated[Path | None, option("Folder to write to.", "transfer in the run folder")] = None
    step: CheckpointStep = None
    device: Device = "auto"
    data_root: DataRoot = None

    def run(self) -> None:
        out = self.out or self.run_folder / "transfer"
        pictures = transfer(
            self.run_folder,
            device=choose_device(self.device),
            data_root=self.data_root,
            factor=self.factor,
            seed=self.seed,
            step=self.step,
        )
        for name, picture in pictures.items():
            save_png(picture, out / f"{name}.png")
            print(f"{name}: {out / name}.png")

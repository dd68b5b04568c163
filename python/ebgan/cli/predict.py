"""The command `ebgan predict`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Annotated

import tyro

from ebgan.cli.options import CheckpointStep, Device, TrainedRun, option
from ebgan.errors import UserError
from ebgan.training import choose_device
from ebgan.video import predict_video, trained_generator
from ebgan.video.predict import FILM


@dataclass(frozen=True)
class Predict:
    """Predict the next frames of a video file with a trained generator, each from those predicted before.

    It writes film.mp4 (the real film on the left, the predicted one on the right, at the rate of the clip),
    strip.png (rows of real, predicted and difference frames) and psnr.jsonl (the PSNR of each predicted
    frame, and of the last input frame in its place).
    """

    run_folder: TrainedRun
    """Folder of the run whose generator to use, such as runs/video-8to8-gdl-ucf101."""
    clip: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="CLIP")]]
    """Video file with at least as many frames as the input and the prediction take."""
    frames: int = 5
    """Number of frames to predict."""
    start: int = 0
    """Number of the first input frame in the clip, counted from 0."""
    out: Annotated[
        Path | None,
        option(
            "Folder to write to.", "rollouts/CLIP-START-FRAMES in the run folder, numbered where it is taken"
        ),
    ] = None
    step: CheckpointStep = None
    device: Device = "auto"

    def run(self) -> None:
        out = self._folder()
        generator = trained_generator(self.run_folder, choose_device(self.device), step=self.step)
        result = predict_video(generator, self.clip, count=self.frames, start=self.start)
        result.write(out)
        values = result.psnr()
        (first, still), (last, long_still) = values[0].tolist(), values[-1].tolist()
        size = "x".join(map(str, result.targets.shape[-2:]))
        print(f"{len(values)} frames of {size}: PSNR {first:.1f} dB at the first, {last:.1f} dB at the last")
        print(f"the last input frame in their place: {still:.1f} dB and {long_still:.1f} dB")
        print(f"film: {out / 'film.mp4'}")
        print(f"strip: {out / 'strip.png'}, frames {', '.join(map(str, result.shown))}")
        print(f"PSNR: {out / 'psnr.jsonl'}")

    def _folder(self) -> Path:
        """A folder that holds no earlier prediction."""
        if self.out is None:
            usual = self.run_folder / "rollouts" / f"{self.clip.stem}-{self.start}-{self.frames}"
            numbered = (usual.with_name(f"{usual.name}-{number}") for number in count(2))
            return next(each for each in chain([usual], numbered) if not each.exists())
        if self.out.is_file():
            raise UserError(f"out: {self.out} is a file; name a folder")
        if (self.out / FILM).exists():
            raise UserError(f"out: {self.out} holds a prediction already; name another folder, or remove it")
        return self.out

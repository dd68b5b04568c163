"""`ebgan predict`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ebgan.cli.options import option
from ebgan.errors import UserError
from ebgan.training import choose_device
from ebgan.video import predict_video, trained_generator


@dataclass(frozen=True)
class Predict:
    """Predict the next frames of a video file by a trained run, each from those predicted before.

    Writes film.mp4 (left the real film, right the predicted one), strip.png (input and truth, prediction,
    difference) and psnr.jsonl (of each frame, beside that of the last input frame).
    """

    run_folder: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN")]]
    """Run folder, such as runs/video-8to8-gdl-ucf101."""
    clip: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="CLIP")]]
    """Video file, with more frames than are given and predicted."""
    frames: int = 5
    """Number of frames to predict."""
    start: int = 0
    """Frame of the clip that the input begins with, from 0."""
    out: Annotated[
        Path | None, option("folder to write to", "rollouts/CLIP-START-FRAMES in the run folder")
    ] = None
    device: str = "auto"
    """auto, cpu, cuda or cuda:NUMBER."""

    def run(self) -> None:
        name = f"{self.clip.stem}-{self.start}-{self.frames}"
        out = self.out or self.run_folder / "rollouts" / name
        if out.is_file():
            raise UserError(f"out: {out} is a file; name a folder")
        generator = trained_generator(self.run_folder, choose_device(self.device))
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

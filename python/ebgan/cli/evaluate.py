"""`ebgan evaluate`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro

from ebgan import ladder, scores, video
from ebgan.cli.options import option
from ebgan.errors import UserError
from ebgan.training import RunFolder, choose_device


@dataclass(frozen=True)
class Evaluate:
    """Score what a trained run can do, beside what it should beat; the table is kept in scores.json.

    Of a GAN, samples: the kernel inception distance (KID, lower is better) by a small network that comes with
    the package, for MNIST also I' and the inception score (higher is better), the share of each class and the
    mean top probability of its classifier, beside real images, an untrained generator and noise. There are
    scores for MNIST at 32x32 and for images at 64x64.

    Of video prediction, the first and last predicted frame of windows of the test split, whole and where they
    move: PSNR, SSIM and two measures of sharpness, beside copies of the last frame and its optical flow.

    Of ladder networks, the share of test examples classified wrongly, of each seed, mean and deviation.
    """

    run_folder: tyro.conf.Positional[Path]
    """Run folder, such as runs/gan-mnist."""
    samples: Annotated[int | None, option("number of samples of a GAN", str(scores.SAMPLES), kind=int)] = None
    stride: Annotated[
        int | None, option("frames of a video from one window to the next", str(video.STRIDE), kind=int)
    ] = None
    seed: int = 0
    """Seed of a GAN's noise and real images, or of the bootstrap over windows."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:NUMBER."""
    data_root: Annotated[
        Path | None,
        option(
            "folder of the data sets; of images and videos their own folder, or a zip of images",
            "EBGAN_DATA of the environment",
        ),
    ] = None

    def run(self) -> None:
        device = choose_device(self.device)
        command = RunFolder(self.run_folder).command()
        systems = {video.COMMAND: self._of_video, ladder.COMMAND: self._of_ladder}
        table = systems.get(command, self._of_gan)(device)
        print(f"{table}\n\nscores: {self.run_folder / scores.SCORES}")

    def _of_gan(self, device: torch.device) -> scores.Scores:
        if self.stride is not None:
            raise UserError(f"stride: {self.run_folder} is no run of video prediction; leave --stride out")
        count = scores.SAMPLES if self.samples is None else self.samples
        return scores.evaluate_run(
            self.run_folder, count=count, seed=self.seed, device=device, data_root=self.data_root
        )

    def _of_video(self, device: torch.device) -> video.VideoScores:
        if self.samples is not None:
            raise UserError(f"samples: {self.run_folder} is no run of a GAN; leave --samples out")
        stride = video.STRIDE if self.stride is None else self.stride
        return video.evaluate_run(
            self.run_folder, stride=stride, seed=self.seed, device=device, data_root=self.data_root
        )

    def _of_ladder(self, device: torch.device) -> ladder.LadderScores:
        for name in ("samples", "stride"):
            if getattr(self, name) is not None:
                raise UserError(f"{name}: {self.run_folder} is a run of ladder networks; leave --{name} out")
        return ladder.evaluate_run(self.run_folder, device=device, data_root=self.data_root)

"""A roll-out of a video file, and the files that show it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ebgan.data import DataError, open_video
from ebgan.errors import at_least
from ebgan.files import StrPath, replaced, writing
from ebgan.pictures import save_png
from ebgan.video.film import write_film
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.metrics import psnr
from ebgan.video.rollout import roll_out
from ebgan.video.strips import strips
from ebgan.video.windows import as_frames

FILM = "film.mp4"
STRIP_INPUT, STRIP_FRAMES = 4, 8  # frames in the picture: the last ones given, and predicted ones
STRIP_SIDE = 160  # pixels that the longer side of a frame in the picture has at most


@dataclass(frozen=True)
class RollOut:
    """The frames that a generator predicted of a clip, beside the real ones, on the CPU.

    Attributes:
        frames: (T, 3, H, W) in [-1, 1], its input.
        targets: (T', 3, H, W), the real frames that followed.
        predictions: (T', 3, H, W), those predicted.
        rate: frames a second of the clip; None where its file does not say.
    """

    frames: Tensor
    targets: Tensor
    predictions: Tensor
    rate: Fraction | None = None

    @property
    def shown(self) -> list[int]:
        """The numbers, from 1, of the predicted frames that the strip shows."""
        count = len(self.targets)
        return np.linspace(1, count, min(count, STRIP_FRAMES)).round().astype(int).tolist()

    def psnr(self) -> Tensor:
        """The PSNR of each predicted frame, and of the last input frame in its place: (T', 2), in dB."""
        films = self.predictions, self.frames[-1:].expand_as(self.targets)
        return torch.stack([psnr(film, self.targets) for film in films], 1)

    def write(self, folder: StrPath) -> None:
        """Write film.mp4, strip.png and psnr.jsonl to `folder`, making it where it is missing.

        Raises:
            UnwritableError: a file cannot be written.
        """
        folder = Path(folder)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        with replaced(folder / FILM) as film:
            write_film(self.frames, self.targets, self.predictions, film, rate=self.rate)
        save_png(self._strip(), folder / "strip.png")
        rows = (
            {"frame": number, "prediction": ours, "last_frame": last}
            for number, (ours, last) in enumerate(self.psnr().tolist(), 1)
        )
        with replaced(folder / "psnr.jsonl") as table:
            table.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def _strip(self) -> np.ndarray:
        chosen = torch.tensor(self.shown) - 1
        smaller = -(-max(self.frames.shape[-2:]) // STRIP_SIDE)
        films = self.frames[-STRIP_INPUT:], self.targets[chosen], self.predictions[chosen]
        return strips(*(avg_pool2d(film, smaller)[None] for film in films))


def predict_video(generator: MultiscaleGenerator, path: StrPath, *, count: int, start: int = 0) -> RollOut:
    """Predict `count` frames of the video file `path` from the input that begins at its frame `start`.

    Sides are cut to multiples of 8. Only the frames that are used are kept in memory.

    Raises:
        DataError: the file is not a video, too short, or smaller than 16x16.
        UserError: `count` below 1 or `start` below 0.
    """
    at_least("frames", count, 1)
    at_least("start", start, 0)
    video = open_video(path)
    given = generator.input_frames
    stop = start + given + count
    if stop > video.length:
        raise DataError(
            f"{path}: has {video.length} frames, needed are {stop}: {start} before the start, {given} as "
            f"input and {count} to predict; give a longer video, or fewer frames to predict"
        )
    film = as_frames(video.read(start, stop), str(path))
    device = next(generator.parameters()).device
    predictions = roll_out(generator, film[None, :given].to(device), count)[0]
    return RollOut(film[:given], film[given:], predictions.to(film), video.rate)

"""Scores of predicted whole frames, beside two baselines, by the protocol of the authors' program."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.data import ClipSet
from ebgan.errors import at_least
from ebgan.files import StrPath
from ebgan.training import Help, RunFolder, cpu_threads
from ebgan.training.meter import meter
from ebgan.video.baselines import BASELINES
from ebgan.video.config import VideoConfig
from ebgan.video.flow import moving, optical_flow
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.metrics import METRICS
from ebgan.video.rollout import roll_out
from ebgan.video.runs import test_clips, trained_generator_of
from ebgan.video.scores import Area, Prediction, VideoScores, paired_bootstrap, statistics
from ebgan.video.windows import spread
from ebgan.video.windows import windows as windows_of

STRIDE = 16
# The default of a run. CPU time on 2 cores (2026-11-28): 27 s for 50 windows of 64x64 by 8to8, and, a window,
# 2.2 s of 240x240 by 8to8, 4.0 s of 64x64 and 22 s of 240x240 by 4to1 at its full width.
WINDOWS = 50
HIDDEN = -1.0  # black: pixels that do not move are set to it
TOO_GOOD = 50.0  # dB of PSNR: a masked window that reaches it shows too little that moves to be counted


def evaluate(
    generator: MultiscaleGenerator,
    clips: ClipSet,
    *,
    stride: int = STRIDE,
    windows: int | None = None,
    seed: int = 0,
) -> VideoScores:
    """Score predictions of the first and the last of the frames that follow, by every metric.

    A generator of one frame predicts two, the second from its own first. Scored are whole frames; and the
    areas that move, all other pixels being black in prediction and target alike. What moves in a frame is
    told by the flow from the real frame before it (`ebgan.video.moving`). In moving areas, a prediction with
    a PSNR of 50 dB or more is not counted. Beside the generator stand copies of the last input frame, and
    that frame moved on by its optical flow (`ebgan.video.BASELINES`).

    Args:
        generator: one that `ebgan.video.generator` makes, on any device.
        clips: the clips to predict; sides are cut to multiples of 8.
        stride: frames from the start of a window to that of the next.
        windows: how many of them to score, evenly spread over all; by default all.
        seed: seed of the bootstrap.

    Raises:
        DataError: no clip is long enough, or one is smaller than 16x16.
        UserError: `stride` or `windows` below 1, or `seed` below 0.

    Example (which scores an untrained generator):
        >>> import dataclasses
        >>> from ebgan.data import load_clips
        >>> from ebgan.video import generator
        >>> digits = load_clips("moving-digits", "test", size=32)
        >>> three = dataclasses.replace(digits, clips=digits.clips[:3])
        >>> scores = evaluate(generator("8to8", width=0.1), three, stride=40)
        >>> scores.windows, scores.frames["frame 8"]["whole"].gain["psnr"].mean < 0
        (6, True)
    """
    at_least("seed", seed, 0)
    given, predicted = generator.input_frames, max(generator.target_frames, 2)
    every = windows_of(clips, given + predicted, stride=stride)
    chosen = every if windows is None else spread(every, windows)
    device = next(generator.parameters()).device
    ways = ("generator", *BASELINES)
    scored = (1, predicted)
    values = []
    with meter(len(chosen), unit="window") as show:
        for window in chosen:
            frames = window.frames()
            prediction = roll_out(generator, frames[None, :given].to(device), predicted)[0]
            values.append(_window_scores(frames, prediction.to(frames), scored))
            show.update()
    found = np.stack(values)
    return VideoScores(
        data=f"{clips.name} {clips.split}",
        clips=len(clips),
        windows=len(chosen),
        windows_there=len(every),
        sizes=tuple(sorted({window.size for window in chosen})),
        input_frames=given,
        predicted_frames=predicted,
        stride=stride,
        seed=seed,
        frames={
            f"frame {frame}": {
                "whole": _area(found[:, number, 0], ways, seed, skip=False),
                "moving": _area(found[:, number, 1], ways, seed, skip=True),
            }
            for number, frame in enumerate(scored)
        },
    )


def score(
    run: RunFolder,
    config: VideoConfig,
    device: torch.device,
    data_root: StrPath | None,
    *,
    windows: Annotated[
        int, Help("Number of windows to score, evenly spread over the test split; at most all are.")
    ] = WINDOWS,
    stride: Annotated[int, Help("Number of frames from one window's start to the next.")] = STRIDE,
    seed: Annotated[int, Help("Seed of the bootstrap over windows.")] = 0,
) -> VideoScores:
    """Video prediction is scored by the first and the last frame that it predicts in windows of the test
    split, or of the clips that were held out of training: by their PSNR, SSIM and two measures of sharpness,
    of whole frames and of what moves. Copies of the last input frame, and that frame moved on by its optical
    flow, are scored, too.
    """
    generator = trained_generator_of(run, config, device)
    return evaluate(generator, test_clips(config, data_root), stride=stride, windows=windows, seed=seed)


# So small tensors gain little from a second thread, and waiting for it on a busy machine cost a factor of 7
# (0.20 against 1.6 s a window of 64x64, 2 cores, 2026-11-28).
@cpu_threads(1)
def _window_scores(frames: Tensor, prediction: Tensor, scored: tuple[int, ...]) -> NDArray[np.float64]:
    """The scores [scored frame, whole or moving, way, metric] of one window with the real `frames`.

    `prediction` (T', 3, H, W) is the generator's, of the last T' frames.
    """
    count = len(prediction)
    given = len(frames) - count
    films = torch.stack([prediction, *(way(frames[:given], count) for way in BASELINES.values())])
    areas = []
    for number in scored:
        before, target = frames[given + number - 2], frames[given + number - 1]
        mask = moving(optical_flow(before, target))
        predictions, targets = films[:, number - 1], target.expand(len(films), -1, -1, -1)
        areas.append((predictions, targets))
        areas.append((predictions.where(mask, HIDDEN), targets.where(mask, HIDDEN)))
    values = [[metric(*area) for metric in METRICS.values()] for area in areas]
    shape = (len(scored), 2, len(METRICS), len(films))
    return torch.stack([each for area in values for each in area]).view(shape).mT.numpy()


def _area(values: NDArray[np.float64], ways: tuple[str, ...], seed: int, *, skip: bool) -> Area:
    """The scores of one area, from values [window, way, metric]."""
    names = tuple(METRICS)
    counts = values[:, :, names.index("psnr")] < (TOO_GOOD if skip else np.inf)
    predictions = {}
    for way, name in enumerate(ways):
        kept = values[counts[:, way], way]
        found = {metric: statistics(each) for metric, each in zip(names, kept.T, strict=True) if len(each)}
        predictions[name] = Prediction(len(kept), len(values) - len(kept), found)
    ours, last = ways.index("generator"), ways.index("last frame")
    both = counts[:, ours] & counts[:, last]
    if not both.any():
        return Area(predictions, 0, {})
    gains = paired_bootstrap(values[both, ours] - values[both, last], seed=seed)
    return Area(predictions, int(both.sum()), dict(zip(names, gains, strict=True)))

"""Video prediction as a system of the command line: how a run is named, built, started and scored."""

from __future__ import annotations

import dataclasses

import torch

from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.training import Description, Workload, load_newest
from ebgan.training.device import as_device
from ebgan.video.builders import NETS
from ebgan.video.config import VideoConfig
from ebgan.video.evaluate import score
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.prediction import VideoPrediction
from ebgan.video.presets import PRESETS, preset
from ebgan.video.runs import build, trained_generator_of


def run_name(config: VideoConfig) -> str:
    return f"video-{config.net}-{config.loss}-{config.data}"


def workload(config: VideoConfig) -> Workload:
    return "video 4to1" if config.net == "4to1" else "video 8to8"


def prepare(config: VideoConfig) -> VideoConfig:
    """Store the decay with the run: one that is resumed with more steps must not decay anew."""
    return dataclasses.replace(config, decay_steps=config.decay_steps or config.steps)


def start(config: VideoConfig, system: VideoPrediction) -> None:
    """Load the generator that a run is to start from."""
    if config.generator_from is None:
        return
    run, other = open_run(config.generator_from)
    for name in ("net", "width", "tanh"):
        theirs, ours = getattr(other, name), getattr(config, name)
        if theirs != ours:
            raise UserError(f"generator_from: {run.path} has the {name} {theirs}, this run {ours}")
    load_newest(run, {"generator": system.generator})


SYSTEM: Description[VideoConfig, VideoPrediction] = Description(
    name="video",
    help="""Train a network that predicts the next frames of a video, at four scales.

    The run draws predicted clips (predictions.png) and curves of the loss (terms.png). The options
    `--generator-from RUN --patch 64` fine-tune a trained generator on larger patches.
    """,
    config=VideoConfig,
    preset=preset,
    presets=PRESETS,
    run_name=run_name,
    build=build,
    score=score,
    workload=workload,
    prepare=prepare,
    start=start,
    nets={
        name: f"predicts {nets.target_frames} from {nets.input_frames} frames, at four scales"
        for name, nets in NETS.items()
    },
    examples=(
        "train video --width 0.25",
        "train video --net 4to1 --loss adv+gdl --data ucf101 --fold 1",
        "train video --data videos --data-root FILMS --width 0.25",
        "train video --generator-from runs/NAME --patch 64",
    ),
    then=lambda config: ("evaluate {run}", "predict {run} CLIP.mp4"),
)
train, resume, open_run, evaluate_run = SYSTEM.train, SYSTEM.resume, SYSTEM.open_run, SYSTEM.evaluate


def trained_generator(
    path: StrPath, device: torch.device | str = "auto", *, step: int | None = None
) -> MultiscaleGenerator:
    """The generator of the run in the folder `path`, by its checkpoint of `step`, or by default the newest.

    Raises:
        UserError: the folder holds no run of video prediction, or not that checkpoint, or it is damaged.
    """
    return trained_generator_of(*open_run(path, step=step), as_device(device))

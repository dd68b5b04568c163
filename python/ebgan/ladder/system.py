"""Ladder networks as a system of the command line: how a run is named, built and scored."""

from __future__ import annotations

import dataclasses

import torch

from ebgan.files import StrPath
from ebgan.ladder.config import LadderConfig
from ebgan.ladder.evaluate import score
from ebgan.ladder.ladder import Ladder
from ebgan.ladder.network import LadderNetwork
from ebgan.ladder.presets import PRESETS, preset
from ebgan.ladder.runs import build, image_generator, load_network
from ebgan.training import Description, Workload
from ebgan.training.device import as_device


def run_name(config: LadderConfig) -> str:
    return f"ladder-{config.model}-{config.labels}-{config.data}"


def workload(config: LadderConfig) -> Workload:
    return "ladder digits" if config.data == "digits" else "ladder mnist"


def prepare(config: LadderConfig) -> LadderConfig:
    """Store the schedule with the run: one that is stopped and resumed keeps it."""
    return dataclasses.replace(config, schedule_steps=config.schedule_steps or config.steps)


SYSTEM: Description[LadderConfig, Ladder] = Description(
    name="ladder",
    help="""Train ladder networks, which learn classes from few labels and many examples without.

    The run draws curves (errors.png, costs.png), the weights of the first layer (weights.png) and denoised
    examples (reconstructions.png). The presets have the published values for the model and the number of
    labels.
    """,
    config=LadderConfig,
    preset=preset,
    presets=PRESETS,
    run_name=run_name,
    build=build,
    score=score,
    workload=workload,
    prepare=prepare,
    image_generator=image_generator,
    nets={
        "full": "ladder network that denoises every layer, each at a cost",
        "bottom": "the same, with a cost of its input alone",
        "gamma": "ladder network that denoises its top layer alone",
        "supervised": "the network without a decoder, as a baseline",
    },
    examples=(
        "train ladder",
        "train ladder --model ebgan --labels 200",
        "train ladder --data mnist --model full --labels 1000 --seeds 2",
        "train ladder --resume runs/ladder-bottom-100-digits",
    ),
    then=lambda config: (
        "evaluate {run}",
        *(("sample {run} --count 64",) if config.model == "ebgan" else ()),
    ),
)
train, resume, open_run, evaluate_run = SYSTEM.train, SYSTEM.resume, SYSTEM.open_run, SYSTEM.evaluate


def trained_network(
    path: StrPath,
    device: torch.device | str = "auto",
    data_root: StrPath | None = None,
    *,
    step: int | None = None,
) -> LadderNetwork:
    """The networks of the run in the folder `path`, ready to classify.

    They are those of the checkpoint of `step`, by default the newest. Without `data_root` the run's own is
    taken.

    Raises:
        UserError: the folder holds no run of ladder networks, or not that checkpoint, it is damaged, or the
            training data, whose statistics the networks take, is not there.
    """
    run, config = open_run(path, step=step)
    return load_network(run, config, as_device(device), run.data_root(data_root))

"""The scores of a run, and the file they are kept in."""

from __future__ import annotations

import dataclasses
import json
import platform
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import torch

import ebgan_kernels
from ebgan.data import load
from ebgan.errors import at_least
from ebgan.gan import build_generator, image_shape, open_run, trained_generator
from ebgan.scores.evaluate import evaluate
from ebgan.scores.networks import find
from ebgan.scores.results import Scores
from ebgan.training import newest_valid, seed_step

SCORES = "scores.json"


def evaluate_run(
    path: Path,
    *,
    count: int = 10_000,
    seed: int = 0,
    device: torch.device | str = "cpu",
    data_root: Path | None = None,
) -> Scores:
    """Score the newest checkpoint of the run in the folder `path`, and write `path`/scores.json.

    Real images for comparison are the test split of MNIST; of `images` they are halves of the training
    images, which need not have one. The untrained generator is the run's own before its first step. See
    `evaluate` for the rest.

    Raises:
        UserError: no run, no whole checkpoint or no score network for its images; or the data is not there.
    """
    at_least("samples", count, 2)
    at_least("seed", seed, 0)
    device = torch.device(device)
    run, config = open_run(path)
    shape = image_shape(config.net)
    find(config.data, shape)
    trained = trained_generator(path, device)
    checkpoint, _ = newest_valid(run.checkpoints)
    seed_step(config.seed, 0)
    untrained = build_generator(config).to(device)
    scores = evaluate(
        trained,
        load(config.data, "train", data_root, size=shape[1]),
        network=config.data,
        untrained=untrained,
        other=None if config.data == "images" else load(config.data, "test", data_root),
        count=count,
        seed=seed,
    )
    content: dict[str, Any] = {
        "scores": dataclasses.asdict(scores),
        "samples": count,
        "step": int(checkpoint.name.removeprefix("step-")),
        "command": run.command(),
        "config": dataclasses.asdict(config),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "ebgan-kernels": ebgan_kernels.__version__,
        },
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    temporary = path / f"{SCORES}.tmp"
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(path / SCORES)
    return scores

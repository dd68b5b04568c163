"""Going on with a run: the same for every system."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from ebgan.training.run_folder import Config, RunFolder
from ebgan.training.system import System
from ebgan.training.trainer import Trainer

Trained = TypeVar("Trained", bound=System)


def resume_run(
    opened: tuple[RunFolder, Config],
    build: Callable[[Config, torch.device, Path | None], Trained],
    *,
    device: torch.device,
    data_root: Path | None,
    steps: int | None,
) -> Trained:
    """Go on with an `opened` run, by its stored configuration, to `steps` if given; the trained system."""
    run, config = opened
    if steps is not None:
        config = dataclasses.replace(config, steps=steps)
    system = build(config, device, data_root)
    Trainer(system, run, config).train(resume=True)
    return system

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ebgan.gan import GanConfig


@pytest.fixture
def tiny() -> Callable[..., GanConfig]:
    """Configurations of a GAN that trains in no time, with dropout for its random numbers."""

    def config(**changes: object) -> GanConfig:
        small = {"generator_layers": 2, "generator_width": 8, "discriminator_width": 8, "dropout": True}
        often = {
            "log_every": 4,
            "picture_every": 1000,
            "checkpoint_every": 5,
            "batch_size": 16,
            "steps": 30,
            "threads": 1,
        }
        return GanConfig(**{"data": "digits", "net": "digits", "margin": 3.0} | small | often | changes)

    return config


@pytest.fixture
def state() -> Callable[[Path], tuple[object, ...]]:
    """What must be equal of two runs: the newest checkpoint, bit by bit, and the log but for its clock."""

    def read(run: Path) -> tuple[object, ...]:
        newest = max((run / "checkpoints").glob("step-*"))
        description = json.loads((newest / "checkpoint.json").read_text())
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        for row in rows:
            del row["seconds"]
        return description["step"], description["sha256"], description["optimizers"], rows

    return read

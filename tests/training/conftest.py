from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from ebgan.gan import GanConfig

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Equal bits are promised for an equal number of threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def tiny() -> Callable[..., GanConfig]:
    """Configurations of a GAN that trains 30 steps in a tenth of a second, with dropout for its random numbers."""

    def config(**changes: object) -> GanConfig:
        small = {"generator_layers": 2, "generator_width": 8, "discriminator_width": 8, "dropout": True}
        often = {"log_every": 4, "picture_every": 1000, "checkpoint_every": 5, "batch_size": 16, "steps": 30}
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

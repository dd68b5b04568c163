"""Training holds on to nothing: its steps, logs, checkpoints and pictures leave no memory behind.

Here two systems take 60 steps; `make test-leaks` takes EBGAN_TEST_STEPS of every system.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import torch

from ebgan.systems import SYSTEMS
from support.memory import held, needs_counts
from support.small_systems import SMALL

LONG = "EBGAN_TEST_STEPS" in os.environ
STEPS = int(os.environ.get("EBGAN_TEST_STEPS", "60"))
WARM = 30  # the first steps fill caches; by then each kind of file has been written
OFTEN = {"log_every": 5, "checkpoint_every": 10, "picture_every": 25, "batch_size": 10, "threads": 1}


@needs_counts
@pytest.mark.parametrize("name", [system.name for system in SYSTEMS] if LONG else ["gan", "ladder"])
def test_steps_leave_no_memory_behind(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = next(each for each in SYSTEMS if each.name == name)
    config = dataclasses.replace(SMALL[name], **OFTEN, steps=STEPS)
    trainer = system.begin(config, tmp_path / "run", device=torch.device("cpu"))
    found: list[tuple[int, int]] = []
    step = trainer.system.step

    def watched(number: int) -> dict[str, torch.Tensor]:
        found.append(held() if number in (WARM, STEPS) else (0, 0))
        return step(number)

    monkeypatch.setattr(trainer.system, "step", watched)
    trainer.train()
    (before, objects), (after, more) = found[WARM - 1], found[-1]
    counted = STEPS - WARM
    assert after - before < 512 * counted + (1 << 17)  # the tensors of a step take more
    assert more - objects < counted // 2 + 150

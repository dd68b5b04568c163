"""Training holds on to nothing: its steps, logs, checkpoints and pictures leave no memory behind.

EBGAN_TEST_STEPS is the number of steps after which nothing may have been left (`make test-leaks` takes 1,000).
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

STEPS = int(os.environ.get("EBGAN_TEST_STEPS", "60"))
WARM = 30  # the first steps fill caches; by then each kind of file has been written
OFTEN = {"log_every": 5, "checkpoint_every": 10, "picture_every": 25, "batch_size": 10, "threads": 1}


@needs_counts
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_steps_leave_no_memory_behind(system, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = dataclasses.replace(SMALL[system.name], **OFTEN, steps=STEPS)
    trainer = system.begin(config, tmp_path / "run", device=torch.device("cpu"))
    found: list[tuple[int, int]] = []
    step = trainer.system.step

    def watched(number: int) -> dict[str, torch.Tensor]:
        found.append(held() if number in (WARM, STEPS) else (0, 0))
        return step(number)

    monkeypatch.setattr(trainer.system, "step", watched)
    trainer.train()
    (before, objects), (after, more) = found[WARM - 1], found[-1]
    print(system.name, after - before, more - objects)

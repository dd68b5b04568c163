"""`kill -9` at random moments, again and again: the run of every system ends in the bits of one left alone.

Here two systems are killed five times each; `make test-kills` kills every system EBGAN_TEST_KILLS times.
EBGAN_TEST_SEED is the seed of the moments.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import random
import shutil
import signal
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import torch

from ebgan.systems import SYSTEMS
from support.small_systems import SMALL

LONG = "EBGAN_TEST_KILLS" in os.environ
KILLS = int(os.environ.get("EBGAN_TEST_KILLS", "5"))
SEED = int(os.environ.get("EBGAN_TEST_SEED", str(random.SystemRandom().randrange(1 << 16))))
# Modules that take seconds to import, of which each new process is a copy that has them.
IMPORTED = ["ebgan.systems", "matplotlib.figure", "safetensors.torch", "torch.utils.tensorboard"]
OFTEN = {
    "steps": 8,
    "checkpoint_every": 1,
    "log_every": 2,
    "picture_every": 99,
    "batch_size": 10,
    "threads": 1,
}


def train_or_resume(name: str, run: Path, begun: Event | None) -> float:
    """Train the run, from its newest checkpoint where it has one; return the seconds that its steps took."""
    system = next(each for each in SYSTEMS if each.name == name)
    device = torch.device("cpu")
    steps = [int(path.name.removeprefix("step-")) for path in run.glob("checkpoints/step-*")]
    if max(steps, default=0) == OFTEN["steps"]:
        return 0.0
    if steps:
        trainer = system.restore(run, device=device)
    else:  # killed before the first checkpoint was there
        shutil.rmtree(run, ignore_errors=True)
        trainer = system.begin(dataclasses.replace(SMALL[name], **OFTEN), run, device=device)
    if begun is not None:
        begun.set()
    started = time.monotonic()
    trainer.train()
    return time.monotonic() - started


@pytest.mark.parametrize("name", [system.name for system in SYSTEMS] if LONG else ["gan", "ladder"])
def test_a_run_that_is_killed_again_and_again_ends_as_one_left_alone(name, tmp_path, state):
    moments = random.Random(f"{SEED} {name}")
    seconds = train_or_resume(name, tmp_path / "whole", None)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    run, kills, ended = tmp_path / "0", 0, []
    while kills < KILLS:
        begun = context.Event()
        process = context.Process(target=train_or_resume, args=(name, run, begun))
        process.start()
        while not begun.wait(0.01) and process.is_alive():
            pass
        process.join(moments.uniform(0, 0.7 * seconds))
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL), f"EBGAN_TEST_SEED={SEED}"
        if process.exitcode == 0:  # it was done before the moment came
            ended.append(run)
            run = tmp_path / str(len(ended))
    train_or_resume(name, run, None)
    for each in (*ended, run):
        assert state(each) == state(tmp_path / "whole"), f"EBGAN_TEST_SEED={SEED}"

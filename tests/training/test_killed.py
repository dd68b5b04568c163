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
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
import torch

from ebgan import UserError, disentangle, gan, ladder, video
from ebgan.systems import SYSTEMS

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
SMALL = {
    "gan": dataclasses.replace(
        gan.preset(), generator_width=8, discriminator_width=8, pulling_away_weight=0.1
    ),
    "ladder": dataclasses.replace(ladder.preset(model="ebgan"), layers="16-8", generator_layers="8"),
    "disentangle": dataclasses.replace(disentangle.preset(), width=4),
    "video": dataclasses.replace(video.preset("4to1", "adv+gdl"), width=0.05, size=32),
}


def train_or_resume(name: str, run: Path, begun: Event | None) -> None:
    """Train the run, from its newest checkpoint where it has one."""
    system = next(each for each in SYSTEMS if each.name == name)
    device = torch.device("cpu")
    try:
        trainer = system.restore(run, device=device)
    except UserError:  # killed before the first checkpoint was there
        shutil.rmtree(run, ignore_errors=True)
        trainer = system.begin(dataclasses.replace(SMALL[name], **OFTEN), run, device=device)
    if begun is not None:
        begun.set()
    trainer.train()


@pytest.mark.parametrize("name", [system.name for system in SYSTEMS] if LONG else ["gan", "ladder"])
def test_a_run_that_is_killed_again_and_again_ends_as_one_left_alone(name, tmp_path, state):
    moments = random.Random(f"{SEED} {name}")
    started = time.monotonic()
    train_or_resume(name, tmp_path / "whole", None)
    seconds = time.monotonic() - started
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED)
    run, kills = tmp_path / "0", 0
    while kills < KILLS:
        begun = context.Event()
        process = context.Process(target=train_or_resume, args=(name, run, begun))
        process.start()
        while not begun.wait(0.01) and process.is_alive():
            pass
        process.join(moments.uniform(0, seconds / 2))
        if process.is_alive():
            process.kill()
            kills += 1
        process.join()
        assert process.exitcode in (0, -9), f"EBGAN_TEST_SEED={SEED}"
        if process.exitcode == 0:  # it was done before the moment came
            assert state(run) == state(tmp_path / "whole"), f"EBGAN_TEST_SEED={SEED}"
            run = tmp_path / str(kills)
            shutil.rmtree(run, ignore_errors=True)
    try:
        train_or_resume(name, run, None)
    except UserError as done:  # the last kill came after the last checkpoint
        assert "has done 8 already" in str(done)
    assert state(run) == state(tmp_path / "whole"), f"EBGAN_TEST_SEED={SEED}"

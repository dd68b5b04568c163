"""What happens to training from outside: a second process, a clock that jumps, signals in a checkpoint."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ebgan import UserError
from ebgan.gan import SYSTEM, resume, train
from ebgan.training import Interrupted, RunFolder, checkpoint, newest_valid

CPU = torch.device("cpu")
BUSY = "another process trains this run now; wait for it, or choose another --out"


def test_a_second_process_on_a_run_is_refused_until_the_first_one_ends(tmp_path, tiny, state):
    run = tmp_path / "run"
    train(tiny(steps=5), run, device=CPU)
    script = (
        "import sys, time; from ebgan.training import RunFolder\n"
        "with RunFolder(sys.argv[1]).locked(): print('locked', flush=True); time.sleep(60)"
    )
    first = subprocess.Popen([sys.executable, "-c", script, str(run)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None and first.stdout.readline() == "locked\n"
    before = (run / "config.json").read_text()
    for attempt in (
        lambda: resume(run, device=CPU, steps=9),
        lambda: train(tiny(steps=5), run, device=CPU, replace=True),
    ):
        with pytest.raises(UserError, match=BUSY):
            attempt()
    assert (run / "config.json").read_text() == before and state(run)[0] == 5
    first.kill()  # no lock outlives its process
    first.wait()
    resume(run, device=CPU, steps=9)
    assert state(run)[0] == 9


def test_a_run_that_was_begun_before_another_process_took_it_does_not_train(tmp_path, tiny):
    trainer = SYSTEM.begin(tiny(steps=5), tmp_path / "run", device=CPU)
    with RunFolder(tmp_path / "run").locked(), pytest.raises(UserError, match=BUSY):
        trainer.train()
    assert not (tmp_path / "run" / "checkpoints").exists()
    trainer.train()


def test_a_file_system_without_locks_trains_all_the_same(tmp_path, tiny, monkeypatch):
    def none_here(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", none_here)
    train(tiny(steps=1), tmp_path / "run", device=CPU)
    assert (tmp_path / "run" / "checkpoints" / "step-00000001").is_dir()


def test_a_clock_that_jumps_changes_neither_the_run_nor_its_seconds(tmp_path, tiny, state, monkeypatch):
    train(tiny(steps=9, log_every=1), tmp_path / "whole", device=CPU)
    jumps = itertools.cycle([1e9, -1e9, 3600.0, -7200.0])
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + next(jumps))
    train(tiny(steps=9, log_every=1), tmp_path / "run", device=CPU)
    monkeypatch.undo()
    assert state(tmp_path / "run") == state(tmp_path / "whole")
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds) and seconds[0] > 0 and seconds[-1] < 600


def signals_in_a_checkpoint(monkeypatch: pytest.MonkeyPatch, number: int, count: int) -> None:
    """While the second checkpoint of a training is written, `count` signals come in."""
    write, written = checkpoint._write, itertools.count(1)

    def interrupted(path: Path, content: bytes) -> str:
        digest = write(path, content)
        if next(written) == 3 + 2:  # each has three files
            for _ in range(count):
                os.kill(os.getpid(), number)
        return digest

    monkeypatch.setattr(checkpoint, "_write", interrupted)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_checkpoint_waits_for_its_end(tmp_path, tiny, state, monkeypatch, number):
    train(tiny(steps=9), tmp_path / "whole", device=CPU)
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        signals_in_a_checkpoint(patch, number, 1)
        with pytest.raises(Interrupted, match="stopped and saved at step 6; go on with"):
            train(tiny(steps=9), run, device=CPU)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["step-00000005", "step-00000006"]
    resume(run, device=CPU)
    assert state(run) == state(tmp_path / "whole")


def test_a_second_interrupt_during_a_checkpoint_leaves_the_one_before(tmp_path, tiny, state, monkeypatch):
    train(tiny(steps=9), tmp_path / "whole", device=CPU)
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        signals_in_a_checkpoint(patch, signal.SIGINT, 2)
        with pytest.raises(KeyboardInterrupt):
            train(tiny(steps=9), run, device=CPU)
    assert [path.name for path in (run / "checkpoints").iterdir()] == ["step-00000000"]
    assert newest_valid(run / "checkpoints")[1] == []
    resume(run, device=CPU)
    assert state(run) == state(tmp_path / "whole")

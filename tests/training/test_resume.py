from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

from ebgan import UserError
from ebgan.gan import resume, train

CPU = torch.device("cpu")


def test_a_resumed_run_equals_one_that_never_stopped(tmp_path, tiny, state):
    train(tiny(steps=30), tmp_path / "whole", device=CPU)
    train(tiny(steps=15), tmp_path / "halves", device=CPU)
    resume(tmp_path / "halves", device=CPU, steps=30)
    assert state(tmp_path / "halves") == state(tmp_path / "whole")


def test_another_seed_gives_another_run(tmp_path, tiny, state):
    train(tiny(steps=5), tmp_path / "a", device=CPU)
    train(tiny(steps=5, seed=1), tmp_path / "b", device=CPU)
    assert state(tmp_path / "a")[1] != state(tmp_path / "b")[1]


def test_pictures_do_not_change_the_run(tmp_path, tiny, state):
    train(tiny(steps=10), tmp_path / "few", device=CPU)
    train(tiny(steps=10, picture_every=2), tmp_path / "many", device=CPU)
    assert state(tmp_path / "few") == state(tmp_path / "many")


def test_a_run_killed_outright_goes_on_as_if_nothing_had_happened(tmp_path, tiny, state):
    config = tiny(steps=1_000_000, log_every=1)
    script = (
        "import sys, torch; from pathlib import Path; from ebgan.gan import GanConfig, train\n"
        f"train({config!r}, Path(sys.argv[1]), device=torch.device('cpu'))"
    )
    killed = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", script, str(killed)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not (killed / "checkpoints" / "step-00000010").exists() and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    newest = int(max((killed / "checkpoints").glob("step-*")).name.removeprefix("step-"))
    assert newest >= 10

    train(tiny(steps=newest + 7, log_every=1), tmp_path / "whole", device=CPU)
    resume(killed, device=CPU, steps=newest + 7)
    assert state(killed) == state(tmp_path / "whole")


def test_a_checkpoint_cut_in_half_is_skipped_in_one_line(tmp_path, tiny, state, capfd):
    train(tiny(steps=20), tmp_path / "whole", device=CPU)
    run = tmp_path / "run"
    train(tiny(steps=15), run, device=CPU)
    weights = run / "checkpoints" / "step-00000015" / "weights.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    capfd.readouterr()

    resume(run, device=CPU, steps=20)

    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("ebgan:")]
    assert len(told) == 1 and str(weights) in told[0] and "step-00000010" in told[0]
    assert state(run) == state(tmp_path / "whole")


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizers.safetensors", "checkpoint.json"])
def test_a_run_without_a_whole_checkpoint_says_which_file_is_broken(tmp_path, tiny, name):
    train(tiny(steps=5), tmp_path / "run", device=CPU)
    for file in (tmp_path / "run" / "checkpoints").glob(f"*/{name}"):
        file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(UserError, match=rf"no usable checkpoint .*{name}") as error:
        resume(tmp_path / "run", device=CPU, steps=10)
    assert "\n" not in str(error.value)


def test_rows_logged_after_the_checkpoint_are_neither_doubled_nor_lost(tmp_path, tiny, state):
    train(tiny(steps=20), tmp_path / "whole", device=CPU)
    run = tmp_path / "run"
    train(tiny(steps=10), run, device=CPU)
    with (run / "metrics.jsonl").open("a") as log:
        log.write('{"step": 12, "seconds": 1, "real_energy": 0}\n{"step": 16, "sec')
    resume(run, device=CPU, steps=20)
    assert state(run) == state(tmp_path / "whole")


def test_a_finished_run_asks_for_more_steps_and_stays_as_it_was(tmp_path, tiny):
    train(tiny(steps=5), tmp_path / "run", device=CPU)
    before = (tmp_path / "run" / "config.json").read_text()
    with pytest.raises(UserError, match="has done 5 already; ask for more with --steps"):
        resume(tmp_path / "run", device=CPU, steps=4)
    assert (tmp_path / "run" / "config.json").read_text() == before


def test_more_steps_are_remembered_for_the_next_resume(tmp_path, tiny):
    train(tiny(steps=5), tmp_path / "run", device=CPU)
    resume(tmp_path / "run", device=CPU, steps=9)
    assert '"steps": 9' in (tmp_path / "run" / "config.json").read_text()

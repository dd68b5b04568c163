"""The queue of long runs: it resumes what was killed, does nothing twice, and goes on past what fails."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from ebgan.cli.evaluate import EvaluateRun
from ebgan.cli.options import given
from ebgan.cli.parser import parse

SCRIPT = pathlib.Path(__file__).parents[2] / "scripts" / "long_runs.py"
TINY = "--generator-width 8 --discriminator-width 8 --log-every 1 --checkpoint-every 5 --picture-every 1000"


def worker(folder: pathlib.Path, queue: str, *options: str) -> subprocess.Popen[str]:
    path = folder.parent / "queue.txt"
    path.write_text(queue)
    return subprocess.Popen(
        [sys.executable, SCRIPT, folder, "--queue", path, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def output(process: subprocess.Popen[str], *, status: int = 0) -> str:
    text, _ = process.communicate(timeout=240)
    assert process.returncode == status, text
    return text


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    folder = tmp_path / "runs"
    yield folder
    if (folder / "pid").exists():  # a test that failed leaves its run behind
        os.kill(int((folder / "pid").read_text()), signal.SIGKILL)


def test_a_killed_run_goes_on_a_wrong_one_is_passed_and_nothing_is_done_twice(folder: pathlib.Path) -> None:
    queue = f"""
# The first never ends by itself.
long    train gan {TINY} --steps 1000000
wrong   train gan --marginn 3
short   train gan {TINY} --steps 6
"""
    first = worker(folder, queue)
    log = folder / "long" / "metrics.jsonl"
    for _ in range(1200):
        if (folder / "long" / "checkpoints" / "step-00000010").exists() and log.exists():
            break
        time.sleep(0.1)
    else:
        pytest.fail((folder / "long.log").read_text())

    assert "another process" in output(worker(folder, queue), status=1)
    output(worker(folder, queue, "--pause"))
    process = int((folder / "pid").read_text())
    assert os.getpriority(os.PRIO_PROCESS, process) == min(19, os.nice(0) + 19)
    time.sleep(1)  # what was under way when the signal came
    before = log.read_text()
    time.sleep(2)
    assert log.read_text() == before
    output(worker(folder, queue, "--go-on"))
    os.kill(process, signal.SIGKILL)
    text = output(first, status=1)
    assert "long: failed with exit status -9" in text
    assert "wrong: failed with exit status 2" in text and "--marginn" in (folder / "wrong.log").read_text()
    assert json.loads((folder / "short" / "config.json").read_text())["config"]["threads"] == 1

    done = max(int(path.name[5:]) for path in (folder / "long" / "checkpoints").glob("step-*"))
    ended = queue.replace("1000000", str(done + 7)).replace("wrong   train gan --marginn 3", "")
    text = output(worker(folder, ended))
    assert "--resume" in text and "short" not in text
    assert f"done, {done + 7} steps" in output(worker(folder, ended, "--status"))
    assert output(worker(folder, ended)) == ""
    assert output(worker(folder, ended, "--pause"), status=1).endswith("no run goes on\n")


def test_the_worker_hands_a_stop_on_and_the_run_is_saved(folder: pathlib.Path) -> None:
    process = worker(folder, f"long train gan {TINY} --steps 1000000")
    while not (folder / "long" / "checkpoints" / "step-00000005").exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.terminate()
    output(process)
    assert "stopped and saved" in (folder / "long.log").read_text()


def test_a_line_that_is_no_command_is_refused_by_its_number(folder: pathlib.Path) -> None:
    text = output(worker(folder, "# fine\nlong predict clip.mp4"), status=1)
    assert "queue.txt:2: got 'long predict clip.mp4'" in text


def test_every_line_of_the_queue_is_a_command_with_options_that_its_system_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    tasks = importlib.import_module("long_runs").read_queue(SCRIPT.with_suffix(".txt"), pathlib.Path("runs"))
    assert len(tasks) > 20
    trained = set()
    for task in tasks:
        command = parse(task.command()).command
        if isinstance(command, EvaluateRun):
            assert task.run in trained, f"{task.run.name} is evaluated before it is trained"
            continue
        trained.add(task.run)
        options = given(command, (field.name for field in dataclasses.fields(command.system.config)))
        assert command.system.configure(**options).threads == 1, task.run.name

"""Ctrl-C, a reader that has seen enough, and a standard output that takes no more."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ebgan import cli
from ebgan.cli import main
from ebgan.cli.demo import Demo
from ebgan.cli.evaluate import Evaluate
from ebgan.cli.predict import Predict
from ebgan.cli.sample import Sample
from ebgan.data import Batches
from ebgan.training import Description

COMMANDS = {
    Evaluate: "evaluate run",
    Predict: "predict run clip.mp4",
    Sample: "sample run",
    Demo: "demo --out demo",
}


def interrupted(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.__name__)
def test_ctrl_c_is_one_line_and_130_for_every_command(monkeypatch, capfd, command):
    monkeypatch.setattr(command, "run", interrupted)
    assert main(COMMANDS[command].split()) == 130
    assert capfd.readouterr().err == "ebgan: stopped by Ctrl-C\n"


@pytest.mark.parametrize(
    ("owner", "name"), [(Batches, "__init__"), (Description, "begin"), (Description, "restore")]
)
def test_ctrl_c_before_training_is_one_line_and_130(tmp_path, monkeypatch, capfd, owner, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(owner, name, interrupted)
    resume = ["--resume", "run"] if name == "restore" else []
    assert main(["train", "gan", *resume]) == 130
    assert capfd.readouterr().err == "ebgan: stopped by Ctrl-C\n"
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_ends_an_evaluation_that_is_under_way(tmp_path):
    """The real signal, into a process of its own while it computes."""
    script = (
        "import sys, time, ebgan.ladder.evaluate as module\n"
        "from ebgan.cli import main\n"
        "def slow(*_): print('begun', flush=True); time.sleep(60)\n"
        "module.error_rates = slow\n"
        "run = sys.argv[1]\n"
        "main(['train', 'ladder', '--steps', '1', '--layers', '8', '--out', run])\n"
        "sys.exit(main(['evaluate', run]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while process.stdout.readline() not in ("begun\n", ""):
        pass
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=30)
    assert process.returncode == 130 and error.splitlines()[-1] == "ebgan: stopped by Ctrl-C"
    assert "Traceback" not in error and not (tmp_path / "run" / "scores.json").exists()


@pytest.mark.parametrize(
    ("slow", "code", "words"),
    [
        ("ebgan.gan.runs.open_set", -signal.SIGTERM, ""),  # nothing is there yet to be told of
        ("ebgan.gan.EBGAN.step", 128 + signal.SIGTERM, "ebgan: stopped before step 1 was done; go on with"),
    ],
)
def test_the_first_sigterm_stops_a_training_that_has_done_no_step(tmp_path, slow, code, words):
    owner, name = slow.rsplit(".", 1)
    script = (
        f"import sys, time, ebgan.gan.runs\n"
        "from ebgan.cli import main\n"
        "def slow(*_, **__): print('begun', flush=True); time.sleep(60)\n"
        f"{owner}.{name} = slow\n"
        "sys.exit(main(['train', 'gan', '--out', sys.argv[1]]))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while process.stdout.readline() not in ("begun\n", ""):
        pass
    process.terminate()
    _, error = process.communicate(timeout=30)
    assert process.returncode == code and error.startswith(words) and error.count("\n") == bool(words)


@pytest.mark.parametrize("arguments", [["--help"], ["train", "gan", "--help"]])
def test_a_reader_that_has_seen_enough_is_met_with_silence(arguments):
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-m", "ebgan", *arguments], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (cli.BROKEN_PIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_an_output_that_takes_no_more_is_one_line():
    with open("/dev/full", "w") as nowhere:
        process = subprocess.run(
            [sys.executable, "-m", "ebgan", "--help"], stdout=nowhere, stderr=subprocess.PIPE, text=True
        )
    assert process.returncode == 2
    assert process.stderr == "ebgan: standard output: No space left on device\n"

#!/usr/bin/env python3
"""Works through a queue of long runs on one core that would idle.

    python scripts/long_runs.py FOLDER             does what is not done, in order; stop it with Ctrl-C
    python scripts/long_runs.py FOLDER --status    says how far each run is
    python scripts/long_runs.py FOLDER --pause     stops the run's process where it is, to time something
    python scripts/long_runs.py FOLDER --go-on     lets it continue

The queue is `scripts/long_runs.txt`, or the file given by `--queue`. One line of it is a name and a
command of `ebgan`, without the run folder, which is FOLDER/NAME:

    digits  train gan --steps 3000
    digits  evaluate --samples 2000

`train` is done when the run's newest checkpoint has all steps, `evaluate` when scores.json is of that
step. What was killed is resumed, to the same bits. One process runs at a time, at the lowest priority
and with one thread. A command that fails is reported, the others go on, and the exit status is 1. The
output of a run's commands goes to FOLDER/NAME.log.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

QUEUE = Path(__file__).with_suffix(".txt")


@dataclass(frozen=True)
class Task:
    """One line of the queue: a command of `ebgan` on the run folder `run`."""

    run: Path
    words: tuple[str, ...]

    @property
    def steps(self) -> int:
        """Steps that the run is to have: those of its newest `--steps`, or of its configuration."""
        if "--steps" in self.words:
            return int(self.words[self.words.index("--steps") + 1])
        stored = _json(self.run / "config.json")
        return int(stored["config"]["steps"]) if stored else 0

    @property
    def done(self) -> bool:
        if self.words[0] == "train":
            return 0 < self.steps <= checkpointed(self.run)
        return _json(self.run / "scores.json").get("step", -1) == checkpointed(self.run)

    def command(self) -> list[str]:
        """The command as it is now: a run that has begun is resumed."""
        kind, *options = self.words
        if kind == "evaluate":
            return ["evaluate", str(self.run), *options]
        if not (self.run / "config.json").exists():
            return ["train", *options, "--threads", "1", "--out", str(self.run)]
        steps = ["--steps", str(self.steps)] if "--steps" in options else []
        return ["train", options[0], "--resume", str(self.run), *steps]


def read_queue(path: Path, folder: Path) -> list[Task]:
    """The tasks of the queue file `path`, whose runs lie in `folder`."""
    tasks = []
    for number, line in enumerate(os.path.expandvars(path.read_text()).splitlines(), 1):
        name, *words = shlex.split(line, comments=True) or [""]
        if not name:
            continue
        if not words or words[0] not in ("train", "evaluate"):
            sys.exit(f"{path}:{number}: got {line!r}, a line is NAME train SYSTEM ... or NAME evaluate ...")
        tasks.append(Task(folder / name, tuple(words)))
    return tasks


def checkpointed(run: Path) -> int:
    """The step of the newest checkpoint of `run`, 0 where there is none."""
    return max((int(path.name[5:]) for path in run.glob("checkpoints/step-*[0-9]")), default=0)


def status(tasks: Sequence[Task]) -> str:
    """A line for every task: what it is, how far it is, and how long the rest takes."""
    lines = []
    for task in tasks:
        kind, steps = task.words[0], task.steps
        state = "done" if task.done else "waits"
        rows = _rows(task.run / "metrics.jsonl") if kind == "train" else []
        if rows and not task.done:
            step = rows[-1]["step"]
            pace = rows[-1]["seconds"] / step
            hours = (steps - step) * pace / 3600
            state = f"step {step} of {steps}, {pace:.2f} s a step, {hours:.1f} h to go"
        elif rows:
            state = f"done, {steps} steps in {rows[-1]['seconds'] / 3600:.1f} h"
        lines.append(f"{task.run.name:28} {kind:9} {state}")
    return "\n".join(lines)


class Worker:
    """Runs the tasks one after the other, and ends when the process is asked to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.child: subprocess.Popen[bytes] | None = None
        self.stopping = False

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Hand the signal on: the run saves its state and ends."""
        self.stopping = True
        if self.child is not None:
            self.child.send_signal(signal.SIGCONT)
            self.child.send_signal(signal.SIGTERM)

    def work(self, tasks: Sequence[Task]) -> int:
        """Do what is not done; return the exit status."""
        failed = 0
        for task in tasks:
            if not task.done and not self.stopping:
                print(f"{task.run.name}: {shlex.join(task.command())}", flush=True)
                code = self._run(task)
                if code and not self.stopping:
                    failed = 1
                    log = task.run.with_suffix(".log")
                    print(f"{task.run.name}: failed with exit status {code}; {log} says why", flush=True)
        return failed

    def _run(self, task: Task) -> int:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        command = ["nice", "-n", "19", sys.executable, "-m", "ebgan", *task.command()]
        with task.run.with_suffix(".log").open("ab") as log:
            self.child = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            (self.folder / "pid").write_text(str(self.child.pid))
            code = self.child.wait()
        (self.folder / "pid").unlink()
        self.child = None
        return code


def send(folder: Path, number: signal.Signals) -> int:
    """Send a signal to the process of the run that goes on."""
    try:
        os.kill(int((folder / "pid").read_text()), number)
    except (OSError, ValueError):
        print(f"{folder}: no run goes on", file=sys.stderr)
        return 1
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the runs, outside the tracked tree")
    parser.add_argument("--queue", type=Path, default=QUEUE, help="file of the queue")
    action = parser.add_mutually_exclusive_group()
    for name in ("status", "pause", "go-on"):
        action.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    if options.pause or options.go_on:
        return send(options.folder, signal.SIGSTOP if options.pause else signal.SIGCONT)
    tasks = read_queue(options.queue, options.folder)
    if options.status:
        print(status(tasks))
        return 0
    options.folder.mkdir(parents=True, exist_ok=True)
    with (options.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{options.folder}: another process works through a queue here")
        worker = Worker(options.folder)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, worker.stop)
        return worker.work(tasks)


def _json(path: Path) -> dict:
    """The content of a file that a run replaces as a whole, {} where there is none."""
    return json.loads(path.read_text()) if path.exists() else {}


def _rows(path: Path) -> list[dict[str, float]]:
    """The rows of a log whose last line may be cut short."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


if __name__ == "__main__":
    sys.exit(main())

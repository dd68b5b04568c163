"""Runs the points of a grid side by side, each in a run folder of its own, and collects their scores."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ebgan.errors import UserError, one_of
from ebgan.files import StrPath, writing
from ebgan.gan.config import GanConfig
from ebgan.gan.grid.points import Point
from ebgan.gan.presets import PRESETS
from ebgan.gan.scores.evaluate import SAMPLES
from ebgan.gan.system import SYSTEM
from ebgan.training import SCORES, Interrupted, RunFolder
from ebgan.training.device import as_device

LOCK = "grid.lock"


@dataclass(frozen=True)
class Outcome:
    """The score I' of a point (higher is better), and the step that its training reached."""

    point: Point
    modified_inception_score: float
    step: int


def read_outcome(point: Point, folder: Path) -> Outcome | None:
    """The outcome of a point whose run lies in `folder`, None where it is not scored."""
    try:
        content = json.loads((folder / point.name / SCORES).read_text())
    except FileNotFoundError:
        return None
    classes = content["scores"]["sets"]["samples"]["classes"]
    return Outcome(point, classes["modified_inception_score"], content["step"])


class Grid:
    """Points and the folder of their runs. What is done is read off the run folders, so nothing can be lost.

    Args:
        points: what is to be run.
        folder: where; each point has the run folder `folder`/NAME and the log `folder`/NAME.log.
        steps: updates of each run.
        data: the data set: mnist, fashion-mnist or digits.
        data_root: the folder that holds it; by default `$EBGAN_DATA`.
        seed: the seed of every run.
        fast: whether runs take the switches that are fastest on this device.
        samples: the number of images that each run is scored by.
    """

    def __init__(
        self,
        points: Sequence[Point],
        folder: StrPath,
        *,
        steps: int,
        data: str = "mnist",
        data_root: StrPath | None = None,
        seed: int = 0,
        fast: bool = False,
        samples: int = SAMPLES,
    ) -> None:
        one_of("data", data, PRESETS["gan"])
        self.folder, self.data_root, self.samples = Path(folder), data_root, samples
        self.configurations = {
            point: point.configuration(data=data, steps=steps, seed=seed) for point in points
        }
        if fast:
            device = as_device("auto")
            for point, config in self.configurations.items():
                self.configurations[point], _ = SYSTEM.fastest(config, device)

    def run(self, workers: int) -> None:
        """Do what is not done, `workers` processes side by side; then every point has an outcome.

        A process that is killed, and this one, lose at most the steps since a run's last checkpoint: the next
        call goes on. Ctrl-C and SIGTERM stop all runs, whose state is saved.

        Raises:
            UserError: another process works on the grid, or a run cannot be trained or scored.
        """
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with writing(self.folder / LOCK):
            lock = (self.folder / LOCK).open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UserError(
                    f"{self.folder}: another process works on this grid, or a run of it does"
                ) from None
            waiting = [point for point in self.configurations if self.outcome(point) is None]
            self._work(waiting, workers, lock.fileno())

    def outcome(self, point: Point) -> Outcome | None:
        """The outcome of a point, None where its run is not done.

        Raises:
            UserError: the run in its folder has another configuration.
        """
        run = RunFolder(self.folder / point.name)
        if not run.config.exists():
            return None
        stored, wanted = run.read_config(GanConfig), self.configurations[point]
        if stored != wanted:
            raise UserError(
                f"{run.path}: is a run with other settings (steps {stored.steps}, data {stored.data}, seed "
                f"{stored.seed}); give those, or another folder with --out"
            )
        return read_outcome(point, self.folder)

    def outcomes(self) -> list[Outcome]:
        """The outcomes of all points that are done."""
        found = (self.outcome(point) for point in self.configurations)
        return [outcome for outcome in found if outcome is not None]

    def _work(self, waiting: list[Point], workers: int, lock: int) -> None:
        total, running = len(self.configurations), dict[Point, subprocess.Popen[bytes]]()
        asked: list[int] = []

        def stop(number: int, _: object) -> None:
            """Ask every run once: a second signal would end it at once, with what it has not saved."""
            if not asked:
                for process in running.values():
                    process.send_signal(signal.SIGTERM)
            asked.append(number)

        handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while (waiting and not asked) or running:
                while waiting and len(running) < workers and not asked:
                    point = waiting.pop(0)
                    running[point] = self._start(point, lock)
                for point, process in list(running.items()):
                    if process.poll() is not None:
                        del running[point]
                        if not asked:
                            self._ended(point, process.returncode)
                            done = total - len(waiting) - len(running)
                            print(f"{done} of {total}  {self._told(point)}", flush=True)
                time.sleep(0.2)
        finally:
            if not asked:
                for process in running.values():
                    process.terminate()
            for number, handler in handlers.items():
                signal.signal(number, handler)
        if asked:
            raise Interrupted("stopped; give the same command again to go on", asked[0])

    def _start(self, point: Point, lock: int) -> subprocess.Popen[bytes]:
        """Train and score a point in a process that holds the lock of the grid as long as it lives."""
        path, config = self.folder / point.name, self.configurations[point]
        if not (path / "config.json").exists():
            RunFolder.create(path, "train gan", config, data_root=self.data_root)
        command = [sys.executable, "-m", "ebgan.gan.grid.worker", str(path), str(self.samples)]
        with path.with_suffix(path.suffix + ".log").open("ab") as log:
            return subprocess.Popen(
                command,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                start_new_session=True,  # a terminal's Ctrl-C is for the grid, which hands it on
            )

    def _ended(self, point: Point, code: int) -> None:
        if code:
            log = self.folder / f"{point.name}.log"
            raise UserError(f"{self.folder / point.name}: ended with exit status {code}; {log} says why")

    def _told(self, point: Point) -> str:
        outcome = self.outcome(point)
        assert outcome is not None
        return f"{point.name:44} I' {outcome.modified_inception_score:.3f} at step {outcome.step}"

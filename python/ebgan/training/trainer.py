"""The training loop of every system."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import torch
from torch import Tensor

from ebgan.errors import UserError, require
from ebgan.pictures import draw, save_png
from ebgan.training import checkpoint
from ebgan.training.checkpoint import Progress
from ebgan.training.device import cpu_threads
from ebgan.training.interrupt import Interrupted, stop_request
from ebgan.training.metrics import MetricsLog, read_metrics
from ebgan.training.run_folder import RunFolder
from ebgan.training.seeds import seed_step
from ebgan.training.system import System, TrainingConfig


class NonFinite(UserError):
    """A metric became NaN or infinite; the state that produced it is not saved."""


class Trainer:
    """Trains `system` for `config.steps` steps and keeps its log, checkpoints and pictures in `run`.

    With `resume` it goes on from the newest whole checkpoint, to the same bits as if it had never stopped
    (on a CPU with the same number of threads, and on a GPU with deterministic algorithms). `kill -9`
    costs at most the steps since the last checkpoint; SIGINT and SIGTERM cost none: the step is finished,
    the state saved and `Interrupted` raised.

    Example:
        >>> import dataclasses, pathlib, tempfile, torch
        >>> from ebgan.gan import preset
        >>> from ebgan.gan.runs import build
        >>> config = dataclasses.replace(preset("digits"), steps=2, log_every=1)
        >>> run = RunFolder.create(pathlib.Path(tempfile.mkdtemp()) / "mine", "train gan", config)
        >>> Trainer(build(config, torch.device("cpu"), None), run, config).train()
        >>> (run.path / "samples.png").is_file()
        True
    """

    def __init__(self, system: System, run: RunFolder, config: TrainingConfig) -> None:
        self.system, self.run, self.config = system, run, config

    def train(self, *, resume: bool = False) -> None:
        start = self._restore() if resume else Progress(step=0, seconds=0.0)
        if not resume:
            self._save(start)
        config, began = self.config, time.monotonic() - start.seconds
        shown = [curve.key for plot in self.system.plots for curve in plot.curves]
        with (
            cpu_threads(config.threads),
            MetricsLog(self.run, last_step=start.step) as log,
            self._progress_bar(start.step) as bar,
            stop_request() as stop,
        ):
            for step in range(start.step + 1, config.steps + 1):
                seed_step(config.seed, step)
                metrics = self.system.step(step)

                last = step == config.steps
                log_due = step % config.log_every == 0
                picture_due = last or step % config.picture_every == 0
                save_due = last or step % config.checkpoint_every == 0 or stop.signal is not None
                if log_due or save_due:
                    values = self._values(metrics, step)
                if log_due:
                    log.write(step, time.monotonic() - began, values)
                    bar.set_postfix({name: f"{values[name]:.3g}" for name in shown}, refresh=False)
                bar.update()
                if picture_due:
                    self._write_pictures(log, step)
                if save_due:
                    log.sync()
                    self._save(Progress(step, time.monotonic() - began))
                if stop.signal is not None and not last:
                    message = f"stopped and saved at step {step}; go on with --resume {self.run.path}"
                    raise Interrupted(message, stop.signal)

    def _restore(self) -> Progress:
        path, skipped = checkpoint.newest_valid(self.run.checkpoints)
        for reason in skipped:
            print(f"ebgan: skipped {reason}; going on from {path.name}", file=sys.stderr)
        progress = checkpoint.load(path, self.system.modules, self.system.optimizers)
        if progress.step >= self.config.steps:
            raise UserError(
                f"steps: {self.run.path} has done {progress.step} already; ask for more with --steps"
            )
        self.run.update(self.config)
        return progress

    def _save(self, progress: Progress) -> None:
        checkpoint.save(self.run.checkpoints, progress, self.system.modules, self.system.optimizers)

    def _values(self, metrics: dict[str, Tensor], step: int) -> dict[str, float]:
        """Read the metrics from the device, the one place where the loop waits for it."""
        means = torch.stack([value.float().mean() for value in metrics.values()]).tolist()
        values = dict(zip(metrics, means, strict=True))
        for name, value in values.items():
            if not math.isfinite(value):
                remedy = "a smaller learning rate; checkpoints before it are kept"
                raise NonFinite(f"{name} is {value} at step {step}: training stopped; try {remedy}")
        return values

    def _write_pictures(self, log: MetricsLog, step: int) -> None:
        for name, picture in self.system.pictures().items():
            save_png(picture, self.run.path / name / f"step-{step:08d}.png")
            save_png(picture, self.run.path / f"{name}.png")
            log.picture(step, name, picture)
        rows = read_metrics(self.run)
        for plot in self.system.plots if rows else ():
            draw(plot, rows, self.run.path / f"{plot.name}.png")

    def _progress_bar(self, start: int) -> Any:
        interval = 0.2 if sys.stderr.isatty() else 10.0  # a log file gets a line now and then, not a film
        tqdm = require("tqdm").tqdm
        return tqdm(
            total=self.config.steps, initial=start, unit="step", mininterval=interval, dynamic_ncols=True
        )

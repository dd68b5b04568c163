"""The training loop of every system."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Generic, TypeVar

import torch
from torch import Tensor

from ebgan.errors import UserError, reason
from ebgan.files import UnwritableError
from ebgan.pictures import draw, save_png
from ebgan.training import checkpoint
from ebgan.training.checkpoint import Progress
from ebgan.training.device import cpu_threads
from ebgan.training.interrupt import Interrupted, stop_request
from ebgan.training.meter import Meter, meter
from ebgan.training.metrics import MetricsLog, read_metrics
from ebgan.training.run_folder import RunFolder
from ebgan.training.seeds import seed_step
from ebgan.training.system import Advising, System, TrainingConfig
from ebgan.training.world import world

Trained = TypeVar("Trained", bound=System)


class NonFinite(UserError):
    """A metric became NaN or infinite; the state that produced it is not saved."""


class Trainer(Generic[Trained]):
    """Trains `system` for `config.steps` steps and keeps its log, checkpoints and pictures in `run`.

    After `restore` it goes on from the newest whole checkpoint, to the same bits as if it had never stopped
    (on a CPU with the same number of threads, and on a GPU with deterministic algorithms). `kill -9`
    costs at most the steps since the last checkpoint; SIGINT and SIGTERM cost none: the step is finished,
    the state saved and `Interrupted` raised, in the first step at once. A picture or a log that cannot be
    written costs itself alone and is told on stderr; a checkpoint that cannot be written is an error.

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

    def __init__(self, system: Trained, run: RunFolder, config: TrainingConfig) -> None:
        self.system, self.run, self.config = system, run, config
        self.start: Progress | None = None

    def restore(self) -> None:
        """Load the newest whole checkpoint of the run, to go on from it, and say which newer ones are not."""
        path, skipped = checkpoint.newest_valid(self.run.checkpoints)
        start = checkpoint.load(path, self.system.modules, self.system.optimizers)
        if skipped:
            here = f"step {start.step}" if start.step else "step 0, the untrained networks"
            lost = "the steps after it are done again"
            told = f"skipped {'; '.join(skipped)}; going on from {path}, {here}: {lost}"
            print(f"ebgan: {told}", file=sys.stderr)
        if start.step >= self.config.steps:
            raise UserError(
                f"steps: {self.run.path} has done {start.step} already; ask for more with --steps"
            )
        self.start = start

    def train(self) -> None:
        """Train to the last step, or as far as a signal lets it.

        Raises:
            UserError: another process trains the run, or a metric became NaN or infinite.
            UnwritableError: a checkpoint cannot be written.
            Interrupted: a signal asked to stop.
        """
        # The first process of several stands for all: it alone writes.
        with self.run.locked() if world().first else nullcontext():
            self._train()

    def _train(self) -> None:
        config, start, here = self.config, self.start, world()
        if start is None:
            start = Progress(step=0, seconds=0.0)
            self._save(start)
        began = time.monotonic() - start.seconds
        shown = [curve.key for plot in self.system.plots for curve in plot.curves]
        too_early = f"stopped before step {start.step + 1} was done; go on with --resume {self.run.path}"
        with (
            cpu_threads(config.threads),
            meter(config.steps, start.step, shown=here.first) as show,
            self._log(start.step, show) as log,
            stop_request(too_early) as stop,
        ):
            advise = _Adviser(self.system, show)
            for step in range(start.step + 1, config.steps + 1):
                seed_step(config.seed, step)
                metrics = self.system.step(step)
                stop.can_wait = True

                # All stop where one is asked to: none may wait for another in a step that is not taken.
                last, asked_by = step == config.steps, here.greatest(stop.signal or 0)
                log_due = last or step % config.log_every == 0
                picture_due = last or step % config.picture_every == 0
                save_due = last or step % config.checkpoint_every == 0 or asked_by > 0
                if log_due or save_due:
                    values = self._values(metrics, step)
                if log_due and log is not None:
                    log.write(step, time.monotonic() - began, values)
                    advise(values, step)
                show.update({name: values[name] for name in shown} if log_due else None)
                if save_due and log is not None:
                    log.sync()
                if save_due:
                    self._save(Progress(step, time.monotonic() - began))
                if picture_due and log is not None:
                    self._draw(log, step, show)
                if asked_by and not last:
                    message = f"stopped and saved at step {step}; go on with --resume {self.run.path}"
                    raise Interrupted(message, asked_by)

    def _log(self, last_step: int, show: Meter) -> AbstractContextManager[MetricsLog | None]:
        """The log of the run; None in a process that writes nothing."""
        if not world().first:
            return nullcontext()
        return MetricsLog(self.run, last_step=last_step, every=self.config.log_every, warn=show.warn)

    def _save(self, progress: Progress) -> None:
        if not world().first:
            return
        try:
            checkpoint.save(
                self.run.checkpoints,
                progress,
                self.system.modules,
                self.system.optimizers,
                keep=self.config.keep,
            )
        except UnwritableError as error:
            if not progress.step:
                raise
            raise UnwritableError(f"{error}; then go on with --resume {self.run.path}") from None

    def _values(self, metrics: dict[str, Tensor], step: int) -> dict[str, float]:
        """Read the metrics from the device, the one place where the loop waits for it."""
        means = world().mean(torch.stack([value.float().mean() for value in metrics.values()])).tolist()
        values = dict(zip(metrics, means, strict=True))
        for name, value in values.items():
            if not math.isfinite(value):
                remedy = "a smaller learning rate; checkpoints before it are kept"
                raise NonFinite(f"{name} is {value} at step {step}: training stopped; try {remedy}")
        return values

    def _draw(self, log: MetricsLog, step: int, show: Meter) -> None:
        """Write the pictures and curves of `step`; one that fails is told, and training goes on."""
        with _tolerated(f"the pictures of step {step}", show):
            for name, picture in self.system.pictures().items():
                log.picture(step, name, picture)
                with _tolerated(f"{name} of step {step}", show):
                    save_png(picture, self.run.path / name / f"step-{step:08d}.png")
                    save_png(picture, self.run.path / f"{name}.png")
        with _tolerated(f"the curves of step {step}", show):
            rows = read_metrics(self.run)
            for plot in self.system.plots if rows else ():
                draw(plot, rows, self.run.path / f"{plot.name}.png")


class _Adviser:
    """Passes a system's advice on, once for each, when every logged step has given it for PATIENCE steps."""

    PATIENCE = 200

    def __init__(self, system: System, show: Meter) -> None:
        self.system, self.show = system, show
        self.advice, self.since = "", 0
        self.told = {""}

    def __call__(self, values: dict[str, float], step: int) -> None:
        if not isinstance(self.system, Advising):
            return
        advice = self.system.advice(values)
        if advice != self.advice:
            self.advice, self.since = advice, step
        if advice not in self.told and step - self.since >= self.PATIENCE:
            self.told.add(advice)
            self.show.warn(f"step {step}: {advice}")


@contextmanager
def _tolerated(what: str, show: Meter) -> Iterator[None]:
    """Within the block an error of any kind becomes a warning: hours of training are worth more."""
    try:
        yield
    except Exception as error:
        words = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {reason(error)}"
        show.warn(f"{what} could not be drawn, and training goes on: {words}")

"""The log of a run: metrics.jsonl and TensorBoard events, cut back to the checkpoint on resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import TracebackType

import numpy as np

from ebgan.errors import UserError, reason
from ebgan.files import AppendedFile, replaced
from ebgan.training.events import EventFile
from ebgan.training.run_folder import RunFolder


def read_metrics(run: RunFolder, *, last_step: float = float("inf")) -> list[dict[str, float]]:
    """The rows of metrics.jsonl up to `last_step`; a last line cut short by a killed process is left out."""
    if not run.metrics.exists():
        return []
    lines = run.metrics.read_bytes().splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            within = row["step"] <= last_step
        except (ValueError, KeyError, TypeError, RecursionError):
            if number == len(lines):
                break
            raise UserError(f"{run.metrics}: line {number} is damaged; remove that line") from None
        if within:
            rows.append(row)
    return rows


class MetricsLog:
    """Appends to the log of `run` after `last_step`; later rows, of a run that was stopped, are dropped.

    So are rows of steps that are no multiple of `every`: the last ones of a run that is now given more steps,
    which would not be there had it been given them at first. A disk that takes no more is told to `warn` and
    costs the rows that it does not take.

    Raises:
        UnwritableError: the log cannot be begun.
    """

    def __init__(self, run: RunFolder, *, last_step: int, every: int, warn: Callable[[str], None]) -> None:
        rows = [row for row in read_metrics(run, last_step=last_step) if row["step"] % every == 0]
        with replaced(run.metrics) as new:
            new.write_text("".join(json.dumps(row) + "\n" for row in rows))
        self._rows = AppendedFile(run.metrics)
        self._events = EventFile(run.tensorboard, first_step=last_step + 1)
        self._warn = warn
        self._failed: set[AppendedFile] = set()

    def write(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        row = {"step": step, "seconds": round(seconds, 3), **values}
        self._write(self._rows, lambda: self._rows.append((json.dumps(row) + "\n").encode()))
        self._write(self._events.file, lambda: self._events.scalars(step, values))

    def picture(self, step: int, name: str, picture: np.ndarray) -> None:
        self._write(self._events.file, lambda: self._events.picture(step, name, picture))

    def sync(self) -> None:
        """Bring everything to the disk, as is done before a checkpoint: none may be ahead of its log."""
        for file in (self._rows, self._events.file):
            try:
                file.sync()
            except OSError as error:
                self._tell(file, error)

    def _write(self, file: AppendedFile, action: Callable[[], None]) -> None:
        try:
            action()
        except OSError as error:
            self._tell(file, error)
        else:
            self._failed.discard(file)

    def _tell(self, file: AppendedFile, error: OSError) -> None:
        if file not in self._failed:
            self._warn(
                f"{file.path}: cannot be written ({reason(error)}); training goes on, and what should be "
                "logged is lost until there is room"
            )
        self._failed.add(file)

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.close()
        self._events.file.close()

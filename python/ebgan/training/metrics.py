"""The log of a run: metrics.jsonl and TensorBoard events, cut back to the checkpoint on resume."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy as np

from ebgan.errors import UserError, require
from ebgan.training.run_folder import RunFolder


def read_metrics(run: RunFolder, *, last_step: float = float("inf")) -> list[dict[str, float]]:
    """The rows of metrics.jsonl up to `last_step`; a last line cut short by a killed process is left out."""
    if not run.metrics.exists():
        return []
    lines = run.metrics.read_text().splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            within = row["step"] <= last_step
        except (ValueError, KeyError, TypeError):
            if number == len(lines):
                break
            raise UserError(f"{run.metrics}: line {number} is damaged; remove that line") from None
        if within:
            rows.append(row)
    return rows


class MetricsLog:
    """Appends to the log of `run` after `last_step`; later rows, of a run that was stopped, are dropped."""

    def __init__(self, run: RunFolder, *, last_step: int) -> None:
        rows = read_metrics(run, last_step=last_step)
        temporary = run.metrics.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(row) + "\n" for row in rows))
        temporary.replace(run.metrics)
        self._file = run.metrics.open("a", buffering=1)
        writer = require("torch.utils.tensorboard").SummaryWriter
        self._events: Any = writer(str(run.tensorboard), purge_step=last_step + 1)

    def write(self, step: int, seconds: float, values: Mapping[str, float]) -> None:
        self._file.write(json.dumps({"step": step, "seconds": round(seconds, 3), **values}) + "\n")
        for name, value in values.items():
            self._events.add_scalar(name, value, step)

    def picture(self, step: int, name: str, picture: np.ndarray) -> None:
        self._events.add_image(name, picture, step, dataformats="HWC")

    def sync(self) -> None:
        """Bring everything to the disk, as is done before a checkpoint: none may be ahead of its log."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._events.flush()

    def __enter__(self) -> MetricsLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._events.close()

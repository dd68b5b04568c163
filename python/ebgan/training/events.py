"""TensorBoard events, written at once.

PyTorch's `SummaryWriter` writes from a thread of its own, which dies with a traceback where the disk is full.
"""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ebgan.errors import require
from ebgan.files import AppendedFile


class EventFile:
    """A new file of events in `folder`; what earlier files have of step `first_step` and later is void.

    Its methods raise OSError where the disk takes no more; the file then stays readable.
    """

    def __init__(self, folder: Path, *, first_step: int) -> None:
        self._protocol = require("tensorboard.compat.proto.event_pb2")
        self._summary = require("torch.utils.tensorboard.summary")
        self._record = require("tensorboard.summary.writer.record_writer").RecordWriter
        # TensorBoard finds files by "tfevents" in their name and reads them in the order of their names.
        name = f"events.out.tfevents.{time.time():017.6f}.{socket.gethostname()}.{os.getpid()}"
        self.file = AppendedFile(folder / name)
        start = self._protocol.SessionLog(status=self._protocol.SessionLog.START)
        self._append(file_version="brain.Event:2", step=first_step)
        self._append(session_log=start, step=first_step)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._append(summary=self._summary.scalar(name, value), step=step)

    def picture(self, step: int, name: str, picture: np.ndarray) -> None:
        self._append(summary=self._summary.image(name, picture, dataformats="HWC"), step=step)

    def _append(self, **fields: Any) -> None:
        piece = io.BytesIO()
        event = self._protocol.Event(wall_time=time.time(), **fields)
        self._record(piece).write(event.SerializeToString())
        self.file.append(piece.getvalue())

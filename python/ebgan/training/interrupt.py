"""Ctrl-C and SIGTERM between two steps, never inside one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(Exception):
    """Training stopped on request after saving; `signal` is the number of the signal that asked."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class StopRequest:
    """The signal that asked to stop; None until one came."""

    signal: int | None = None


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Within the block the first SIGINT or SIGTERM is only noted; the second does what it always did.

    A signal that was ignored stays so, as a shell asks of what it starts in the background.
    """
    request = StopRequest()
    previous: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        request.signal = number
        signal.signal(number, previous[number])

    for stopping in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(stopping) is not signal.SIG_IGN:
            previous[stopping] = signal.signal(stopping, note)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

"""Ctrl-C and SIGTERM: at once where there is nothing to save yet, else between two steps."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interrupted(Exception):
    """Training stopped on request; the message says what was saved, `signal` is the number of the signal."""

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class StopRequest:
    """The signal that asked to stop; None until one came.

    Until `can_wait` is set, there is nothing to save, and a signal raises `Interrupted` with `message`
    wherever the program is.
    """

    def __init__(self, message: str) -> None:
        self.message = message
        self.signal: int | None = None
        self.can_wait = False


@contextmanager
def stop_request(message: str) -> Iterator[StopRequest]:
    """Within the block the first SIGINT or SIGTERM is noted, or raises `Interrupted` with `message` where the
    request cannot wait; the second does what it always did.

    A signal that was ignored stays so, as a shell asks of what it starts in the background.
    """
    request = StopRequest(message)
    previous: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        signal.signal(number, previous[number])
        if not request.can_wait:
            raise Interrupted(message, number)
        request.signal = number

    for stopping in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(stopping) is not signal.SIG_IGN:
            previous[stopping] = signal.signal(stopping, note)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

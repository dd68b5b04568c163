"""How far training or an evaluation has come, as it is shown on stderr.

Eyes see a bar, a log gets a line now and then.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol

from ebgan.errors import require

BAR = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]"
LEAST_BAR, SPARE = 8, 4  # columns of the bar itself, and of numbers that grow until the next values are shown
NOTEBOOK = 120  # columns
FIRST_LINE, LATER = 10.0, 0.02  # seconds to the first line of a log; later lines wait for 2 % of the time


class Meter(Protocol):
    """Shows the steps, or other units, that are done, and the last values that were logged."""

    def update(self, values: Mapping[str, float] | None = None) -> None:
        """Count one more, and show `values` from now on."""

    def warn(self, message: str) -> None:
        """Print a warning that stays."""

    def __enter__(self) -> Meter: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def meter(total: int, start: int = 0, *, unit: str = "step", shown: bool = True) -> Meter:
    """The meter of `total` units, `start` of them done, for where stderr goes.

    That is a bar on a terminal and in a notebook, else lines. A terminal that is gone costs the bar and not
    the training. One that is not `shown` says nothing.
    """
    if not shown:
        return SilentMeter()
    tqdm = require("tqdm.auto").tqdm
    if tqdm.status_printer.__module__ == "tqdm.notebook" or sys.stderr.isatty():
        return BarMeter(tqdm, total, start, unit)
    return LineMeter(total, start, unit)


class SilentMeter:
    """What a process shows that is not the first of its run: nothing."""

    def update(self, values: Mapping[str, float] | None = None) -> None:
        pass

    def warn(self, message: str) -> None:
        pass

    def __enter__(self) -> SilentMeter:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class BarMeter:
    """A bar of one line, with as many of the values as the terminal's width takes whole."""

    def __init__(self, tqdm: Any, total: int, start: int, unit: str) -> None:
        self._bar = tqdm(
            total=total, initial=start, unit=unit, dynamic_ncols=True, mininterval=0.2, bar_format=BAR
        )

    def update(self, values: Mapping[str, float] | None = None) -> None:
        with suppress(OSError):
            if values is not None:
                self._bar.set_postfix_str(self._fitting(values), refresh=False)
            self._bar.update()

    def warn(self, message: str) -> None:
        with suppress(OSError):
            self._bar.write(f"ebgan: warning: {message}", file=sys.stderr)

    def _fitting(self, values: Mapping[str, float]) -> str:
        bare = {**self._bar.format_dict, "postfix": None, "bar_format": BAR.replace("{bar}", "")}
        room = _columns() - len(self._bar.format_meter(**bare)) - LEAST_BAR - SPARE
        shown = ""
        for name, value in values.items():
            longer = f"{shown}, {name}={value:.3g}" if shown else f"{name}={value:.3g}"
            if len(longer) + len(", ") > room:
                break
            shown = longer
        return shown

    def __enter__(self) -> BarMeter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._bar.close()


class LineMeter:
    """A line after ten seconds, then ever more rarely, and one at the end."""

    def __init__(self, total: int, start: int, unit: str) -> None:
        self.total, self.start, self.step, self.unit = total, start, start, unit
        self._began = self._told = self._now = time.monotonic()
        self._values: Mapping[str, float] = {}

    def update(self, values: Mapping[str, float] | None = None) -> None:
        self.step += 1
        self._values = self._values if values is None else values
        self._now = time.monotonic()
        if self._now - self._told >= max(FIRST_LINE, LATER * (self._now - self._began)):
            self._told = self._now
            self._print(self._line())

    def warn(self, message: str) -> None:
        self._print(f"ebgan: warning: {message}")

    def _print(self, line: str) -> None:
        with suppress(OSError):
            print(line, file=sys.stderr, flush=True)

    def _line(self) -> str:
        each = (self._now - self._began) / (self.step - self.start)
        rate = f"{1 / each:.3g} {self.unit}s/s" if each < 1 else f"{each:.3g} s/{self.unit}"
        left = f"{duration((self.total - self.step) * each)} left"
        values = ", ".join(f"{name} {value:.3g}" for name, value in self._values.items())
        line = f"{self.unit} {self.step:,} of {self.total:,} ({self.step / self.total:.0%}), {rate}, {left}"
        return f"{line}: {values}" if values else line

    def __enter__(self) -> LineMeter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.step > self.start:
            self._print(self._line())


def duration(seconds: float) -> str:
    """Seconds as "42 s", "3:05 min" or "2:07 h".

    Example:
        >>> duration(42.3), duration(185), duration(7620)
        ('42 s', '3:05 min', '2:07 h')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    big, small = divmod(whole, 60) if whole < 3600 else divmod(whole // 60, 60)
    return f"{big}:{small:02} {'min' if whole < 3600 else 'h'}"


def _columns() -> int:
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):  # in a notebook, where a bar is as wide as the page
        return NOTEBOOK

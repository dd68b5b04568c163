"""How far training has come: a bar that fits its terminal, and lines for a log."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest

from ebgan.training import meter as of_meter
from ebgan.training.meter import BarMeter, LineMeter, duration, meter

SCRIPT = """
import sys, time
from ebgan.training.meter import meter
with meter(10_000, 0) as show:
    for step in range(1, 13):
        time.sleep(0.25)
        values = {"real_energy": 1.23456, "fake_energy": 3.4e-5, "margin": 10.0}
        show.update(values if step % 3 == 0 else None)
    show.warn("the pictures of step 12 could not be drawn")
"""


def on_a_terminal(columns: int, later: int | None = None) -> str:
    """What the script writes on a terminal so wide, which has another width after the first piece."""
    fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))
    import os
    import struct

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        if later is not None:
            fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, later, 0, 0))
        written += piece
    assert process.wait() == 0
    os.close(ours)
    return written.decode()


@pytest.mark.parametrize(("columns", "values"), [(60, 0), (80, 1), (100, 2), (160, 3)])
def test_a_bar_takes_one_line_and_shows_only_whole_values(columns, values):
    written = on_a_terminal(columns)
    frames = [frame for frame in re.split(r"[\r\n]+", written) if "/10000 [" in frame]
    assert len(frames) > 5 and max(map(len, frames)) < columns
    shown = ["real_energy=1.23", "fake_energy=3.4e-05", "margin=10"][:values]
    assert frames[-1].endswith("]") and frames[-1].partition("step/s")[2].rstrip("]") == "".join(
        f", {each}" for each in shown
    )
    assert "█" in frames[-1] or "▏" in frames[-1] or " |" in frames[-1]
    assert "ebgan: warning: the pictures of step 12 could not be drawn" in re.split(r"[\r\n]+", written)


def test_a_bar_follows_the_width_of_its_terminal():
    frames = [frame for frame in re.split(r"[\r\n]+", on_a_terminal(160, 60)) if "/10000 [" in frame]
    assert len(frames[0]) > 100 and len(frames) > 5 and max(map(len, frames[2:])) < 60


def test_a_log_gets_a_line_after_ten_seconds_then_ever_more_rarely_and_at_the_end(monkeypatch, capsys):
    clock = iter(range(100_000))
    monkeypatch.setattr(of_meter.time, "monotonic", lambda: next(clock))
    with LineMeter(3_000, 0, "step") as show:
        for step in range(1, 3_001):
            show.update({"loss": 1 / step} if step % 50 == 0 else None)
    lines = capsys.readouterr().err.splitlines()
    steps = [int(line.split()[1].replace(",", "")) for line in lines]
    assert steps[:3] == [10, 20, 30] and steps[-1] == 3_000
    gaps = [later - earlier for earlier, later in pairwise(steps)]
    assert 80 < len(lines) < 160 and max(gaps[:-1]) in range(50, 62)
    assert lines[0] == "step 10 of 3,000 (0%), 1 s/step, 49:50 min left"
    assert lines[-1] == "step 3,000 of 3,000 (100%), 1 s/step, 0 s left: loss 0.000333"


def test_a_short_run_leaves_one_line_and_a_run_without_a_step_none(capsys):
    with LineMeter(10, 4, "step") as show:
        for _ in range(6):
            show.update()
    with LineMeter(10, 4, "step"):
        pass
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("step 10 of 10 (100%), ")


def test_a_notebook_gets_its_own_bar(monkeypatch):
    import tqdm.auto

    class Notebook(tqdm.auto.tqdm):
        @staticmethod
        def status_printer(*_: object) -> object:
            raise NotImplementedError

    Notebook.status_printer.__module__ = "tqdm.notebook"
    assert isinstance(meter(10, 0), LineMeter)
    monkeypatch.setattr(tqdm.auto, "tqdm", Notebook)
    made = []
    monkeypatch.setattr(BarMeter, "__init__", lambda self, kind, total, start, unit: made.append(kind))
    meter(10, 0)
    assert made == [Notebook]


def test_a_terminal_that_is_gone_costs_no_training(monkeypatch):
    class Gone:
        def write(self, _: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

        def isatty(self) -> bool:
            return False

    monkeypatch.setattr(sys, "stderr", Gone())
    with LineMeter(2, 0, "step") as show:
        show.update()
        show.warn("a picture could not be drawn")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1:00 min"),
        (3599, "59:59 min"),
        (3600, "1:00 h"),
        (90061, "25:01 h"),
    ],
)
def test_durations_are_read_at_a_glance(seconds, text):
    assert duration(seconds) == text

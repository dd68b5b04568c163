"""The paper's grid: its points, that none is lost or done twice when it is killed, and its histograms."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from ebgan import UserError
from ebgan.cli import main
from ebgan.gan.grid import Grid, Outcome, Point, draw_histograms, median_gap, points, subset
from ebgan.gan.grid.histograms import _bars
from ebgan.gan.grid.queue import LOCK
from ebgan.gan.grid.worker import work
from ebgan.training import RunFolder

SMALL = [Point("ebgan", 2, 2, 16, width, False) for width in (16, 24)] + [Point("gan", 2, 2, 16, 16, True)]


def test_the_grid_has_the_papers_points():
    ebgan, gan = points("ebgan"), points("gan")
    assert (len(ebgan), len(gan)) == (512, 6144)
    names = [point.name for point in (*ebgan, *gan)]
    assert len(set(names)) == len(names)
    config = next(p for p in ebgan if p.name == "ebgan-5x800-2x1024").configuration(steps=7)
    assert (config.margin, config.generator_lr, config.optimizer, config.steps) == (10.0, 0.001, "adam", 7)
    best = next(p for p in gan if p.name == "gan-5x1600-2x1024-sgd-sgd-0.01").configuration(steps=7)
    assert (best.margin, best.generator_lr, best.discriminator_optimizer) == (None, 0.01, "sgd")


def test_a_subset_is_random_and_holds_the_smaller_ones():
    every = points("gan")
    small, large = subset(every, 4, seed=1), subset(every, 9, seed=1)
    assert large[:4] == small and len(set(large)) == 9
    assert subset(every, 4, seed=2) != small and small != every[:4]
    with pytest.raises(UserError, match="subset: got 513, the grid of --model ebgan has 512 points"):
        subset(points("ebgan"), 513)


def small_grid(folder: Path, steps: int = 4) -> Grid:
    return Grid(SMALL, folder, steps=steps, data="digits", samples=20)


def started(folder: Path, steps: int) -> BaseProcess:
    """The grid in a process of its own, which computes nothing and so may be forked from one with threads."""
    grid = multiprocessing.get_context("fork").Process(target=small_grid(folder, steps).run, args=(2,))
    grid.start()
    return grid


def workers_of(folder: Path) -> list[int]:
    """The processes that train the runs below a folder."""
    found = subprocess.run(
        ["pgrep", "-f", f"grid.worker {folder}"], capture_output=True, text=True, check=False
    )
    return [int(number) for number in found.stdout.split()]


def unlocked(folder: Path) -> bool:
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def logged(folder: Path, point: Point) -> list[int]:
    """The steps that the run of a point has logged."""
    log = folder / point.name / "metrics.jsonl"
    return [json.loads(line)["step"] for line in log.open()] if log.exists() else []


def wait_until(condition: Callable[[], object], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_killed_twice_every_point_is_trained_and_scored_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    steps = 600
    for training in (False, True):  # as the runs begin, and in their midst
        grid = started(tmp_path, steps)
        wait_until(lambda: len(workers_of(tmp_path)) == 2)
        wait_until(lambda: not training or logged(tmp_path, SMALL[0]))  # noqa: B023
        grid.kill()
        grid.join()
        with pytest.raises(UserError, match="another process works on this grid, or a run of it does"):
            small_grid(tmp_path, steps).run(2)
        for worker in workers_of(tmp_path):
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: unlocked(tmp_path))  # a process that ends loses its name before its files
    assert 0 < logged(tmp_path, SMALL[0])[-1] < steps

    grid = small_grid(tmp_path, steps)
    grid.run(2)
    assert capsys.readouterr().out.count(f"at step {steps}") == 3
    assert all(logged(tmp_path, point) == list(range(50, steps + 1, 50)) for point in SMALL)
    outcomes = grid.outcomes()
    assert [outcome.point for outcome in outcomes] == SMALL
    assert all(outcome.step == steps and outcome.modified_inception_score > -1e-6 for outcome in outcomes)

    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/scores.json")}
    grid.run(2)
    assert len(before) == 3 and all(path.stat().st_mtime_ns == then for path, then in before.items())
    with pytest.raises(UserError, match="is a run with other settings"):
        small_grid(tmp_path, steps + 1).run(1)


def test_a_stopped_grid_saves_its_runs_and_goes_on(tmp_path: Path) -> None:
    grid = started(tmp_path, 100_000)
    wait_until(lambda: all(logged(tmp_path, point) for point in SMALL[:2]))
    assert grid.pid is not None
    os.kill(grid.pid, signal.SIGTERM)
    grid.join(60)
    assert grid.exitcode and not workers_of(tmp_path)
    for point in SMALL[:2]:
        reached = max(int(path.name[5:]) for path in (tmp_path / point.name).glob("checkpoints/step-*[0-9]"))
        assert f"stopped and saved at step {reached};" in (tmp_path / f"{point.name}.log").read_text()


def test_a_point_whose_training_diverges_is_scored_at_its_last_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    wild = dataclasses.replace(SMALL[0], rate=1e30)
    grid = Grid([wild], tmp_path, steps=50, data="digits", samples=20)
    run = RunFolder.create(tmp_path / wild.name, "train gan", grid.configurations[wild])
    work(run.path, 20)
    assert "training stopped" in capsys.readouterr().err
    (outcome,) = grid.outcomes()
    assert outcome.step == 0


def outcomes(model: str, scores: list[float], layers: int = 2) -> list[Outcome]:
    return [Outcome(Point(model, layers, 2, 400, 128, False), score, 9) for score in scores]  # type: ignore[arg-type]


def test_the_gap_of_medians_has_its_interval():
    random = np.random.default_rng(3)
    ours, theirs = random.normal(5, 1, 60), random.normal(3, 1, 60)
    gap = median_gap(outcomes("ebgan", list(ours)) + outcomes("gan", list(theirs)))
    assert gap is not None and gap.value == pytest.approx(np.median(ours) - np.median(theirs))
    assert gap.low < gap.value < gap.high and gap.low < 2 < gap.high and gap.high - gap.low < 1.5
    assert median_gap(outcomes("ebgan", [1.0])) is None


def test_bars_are_shares_and_the_largest_score_is_in_the_last():
    shares, errors = _bars(np.array([0.0, 0.4, 1.0, 1.0]), np.linspace(0, 1, 3))
    assert shares.tolist() == [0.5, 0.5] and errors.shape == (2, 2) and (errors >= 0).all()


def test_histograms_are_drawn_for_every_cut(tmp_path: Path):
    draw_histograms(outcomes("ebgan", [1.0, 2.0], 5) + outcomes("gan", [0.5]), tmp_path / "h.png")
    assert (tmp_path / "h.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--subset 0", "subset: got 0"),
        ("--subset 600 --model ebgan", "subset: got 600, the grid of --model ebgan has 512 points"),
        ("--workers 0", "workers: got 0"),
        ("--data cifar --subset 1", "data: got 'cifar', allowed are"),
        ("--steps 0 --subset 1", "steps: got 0"),
    ],
)
def test_wrong_input_is_one_line(
    words: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["train", "grid", "--out", str(tmp_path / "grid"), *words.split()]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ebgan.pictures import Curve, Plot
from ebgan.training import Interrupted, NonFinite, RunFolder, Trainer, TrainingConfig, seed_step


class Sum:
    """The least that can train: one weight, pulled towards random numbers; `event` happens within a step."""

    plots = (Plot("loss", "Loss", "squared", (Curve("loss", "loss"),)),)

    def __init__(self, event: Callable[[int], float] = lambda step: 0.0) -> None:
        self.net = nn.Linear(1, 1)
        self.event = event
        self.modules = {"net": self.net}
        self.optimizers = {"net": torch.optim.SGD(self.net.parameters(), lr=0.1)}

    def step(self, step: int) -> dict[str, Tensor]:
        losses = (self.net(torch.randn(4, 1)) - 1).square()
        self.optimizers["net"].zero_grad()
        losses.mean().backward()
        self.optimizers["net"].step()
        return {"loss": losses.detach() + self.event(step), "step_twice": torch.tensor([step, 3 * step])}

    def pictures(self) -> dict[str, object]:
        return {}


def run(tmp_path: Path, system: Sum, **changes: int) -> Path:
    config = TrainingConfig(**{"steps": 9, "batch_size": 4, "log_every": 3, "checkpoint_every": 4} | changes)
    folder = RunFolder.create(tmp_path / "run", "train sum", config)
    Trainer(system, folder, config).train()
    return folder.path


def test_the_log_holds_the_mean_of_each_metric_at_every_interval(tmp_path):
    rows = [json.loads(line) for line in (run(tmp_path, Sum()) / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [3, 6, 9]
    assert [row["step_twice"] for row in rows] == [6, 12, 18]


@pytest.mark.parametrize(("steps", "logged"), [(1, [1]), (2, [2]), (3, [3]), (7, [3, 6, 7])])
def test_the_last_step_is_logged_wherever_it_falls_and_drawn(tmp_path, steps, logged):
    folder = run(tmp_path, Sum(), steps=steps)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == logged
    assert (folder / "loss.png").is_file()


@pytest.mark.parametrize("keep", [1, 3, 99])
def test_as_many_checkpoints_are_kept_as_asked_for(tmp_path, keep):
    folder = run(tmp_path, Sum(), keep=keep, checkpoint_every=2)
    steps = sorted(int(path.name.removeprefix("step-")) for path in (folder / "checkpoints").iterdir())
    assert steps == [0, 2, 4, 6, 8, 9][-keep:]


def test_a_run_folder_holds_events_curves_and_the_last_two_checkpoints(tmp_path):
    folder = run(tmp_path, Sum())
    assert list((folder / "tensorboard").glob("events*"))
    assert (folder / "loss.png").stat().st_size > 1000
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == [
        "step-00000008",
        "step-00000009",
    ]


def test_every_step_has_random_numbers_of_its_own_and_those_of_its_seed(tmp_path):
    drawn: list[int] = []

    def remember(step: int) -> float:
        drawn.append(torch.initial_seed())
        return 0.0

    run(tmp_path, Sum(remember), seed=3)
    expected = []
    for step in range(1, 10):
        seed_step(3, step)
        expected.append(torch.initial_seed())
    assert drawn == expected and len(set(drawn)) == 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_training_after_the_step_and_saves_it(tmp_path, number):
    def interrupt(step: int) -> float:
        if step == 5:
            os.kill(os.getpid(), number)
        return 0.0

    with pytest.raises(Interrupted, match="saved at step 5; go on with --resume") as stop:
        run(tmp_path, Sum(interrupt))
    assert stop.value.signal == number
    assert (tmp_path / "run" / "checkpoints" / "step-00000005").is_dir()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_was_ignored_stays_ignored(tmp_path):
    def interrupt(step: int) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as of what a shell starts in the background
    run(tmp_path, Sum(interrupt))
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_first_step_does_not_wait_for_its_end(tmp_path, number):
    def endless(step: int) -> float:
        os.kill(os.getpid(), number)
        raise AssertionError("the step went on")

    with pytest.raises(Interrupted, match="stopped before step 1 was done; go on with --resume") as stop:
        run(tmp_path, Sum(endless))
    assert stop.value.signal == number
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-00000000"]


def test_a_second_interrupt_does_not_wait_for_the_step(tmp_path):
    def twice(step: int) -> float:
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, Sum(twice))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_training_and_is_not_saved(tmp_path, value):
    with pytest.raises(NonFinite, match=f"loss is {value} at step 8") as error:
        run(tmp_path, Sum(lambda step: value if step >= 7 else 0.0))
    assert "\n" not in str(error.value)
    assert max((tmp_path / "run" / "checkpoints").iterdir()).name == "step-00000004"

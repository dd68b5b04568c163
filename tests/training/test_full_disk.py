"""What training does where the disk takes no more: the checkpoint comes first, all else is a warning."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ebgan import UserError
from ebgan.files import AppendedFile
from ebgan.gan import EBGAN, resume, train
from ebgan.training import RunFolder, Trainer, newest_valid, trainer
from support.full_disk import full, largest_file

CPU = torch.device("cpu")


def rows_of(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def warnings(error: str) -> list[str]:
    return [line for line in error.splitlines() if line.startswith("ebgan: warning: ")]


def drawn_too_late(self: EBGAN) -> dict[str, np.ndarray]:
    raise RuntimeError("out of memory\nwith a long story")


@pytest.mark.parametrize("way", ["pictures", "save_png", "draw"])
def test_a_picture_that_fails_costs_no_step_and_no_checkpoint(tmp_path, tiny, state, monkeypatch, capfd, way):
    train(tiny(steps=7), tmp_path / "whole", device=CPU)
    capfd.readouterr()
    if way == "pictures":
        monkeypatch.setattr(EBGAN, "pictures", drawn_too_late)
    else:
        monkeypatch.setattr(trainer, way, full)
    train(tiny(steps=7, picture_every=3), tmp_path / "run", device=CPU)  # no row is logged before step 4
    assert state(tmp_path / "run") == state(tmp_path / "whole")
    told = warnings(capfd.readouterr().err)
    assert len(told) == (2 if way == "draw" else 3) and all(
        "could not be drawn, and training goes on: " in line for line in told
    )
    why = "RuntimeError: out of memory with a long story" if way == "pictures" else "No space left on device"
    assert all(line.endswith(why) for line in told)


def test_a_picture_that_does_not_fit_leaves_the_earlier_one(tmp_path, tiny, monkeypatch, capfd):
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    monkeypatch.setattr(EBGAN, "pictures", lambda self: {"samples": noise})
    train(tiny(steps=5), tmp_path / "run", device=CPU)
    before = (tmp_path / "run" / "samples.png").read_bytes()
    capfd.readouterr()
    with largest_file(len(before) - 1):  # a checkpoint is a sixth of it
        resume(tmp_path / "run", device=CPU, steps=6)
    assert newest_valid(tmp_path / "run" / "checkpoints")[0].name == "step-00000006"
    assert (tmp_path / "run" / "samples.png").read_bytes() == before
    assert any("samples" in line and "File too large" in line for line in warnings(capfd.readouterr().err))


def test_the_checkpoint_is_saved_before_anything_is_drawn(tmp_path, tiny, monkeypatch):
    there = []

    def look(self: EBGAN) -> dict[str, np.ndarray]:
        there.append((tmp_path / "run" / "checkpoints" / "step-00000005").is_dir())
        return {}

    monkeypatch.setattr(EBGAN, "pictures", look)
    train(tiny(steps=5), tmp_path / "run", device=CPU)
    assert there == [True]


def test_a_log_that_takes_no_rows_is_told_once_and_taken_up_again(tmp_path, tiny, monkeypatch, capfd):
    append, step = AppendedFile.append, EBGAN.step
    now = []

    def counted(self: EBGAN, number: int) -> object:
        now.append(number)
        return step(self, number)

    def sometimes(self: AppendedFile, piece: bytes) -> None:
        if now and 8 <= now[-1] < 16:
            full()
        append(self, piece)

    monkeypatch.setattr(EBGAN, "step", counted)
    monkeypatch.setattr(AppendedFile, "append", sometimes)
    train(tiny(steps=20), tmp_path / "run", device=CPU)
    assert rows_of(tmp_path / "run") == [4, 16, 20]
    told = warnings(capfd.readouterr().err)
    assert len(told) == 2 and "metrics.jsonl: cannot be written (No space left on device)" in told[0]
    assert "tfevents" in told[1]
    assert newest_valid(tmp_path / "run" / "checkpoints")[0].name == "step-00000020"


def test_a_log_that_cannot_be_brought_to_the_disk_is_a_warning(tmp_path, tiny, monkeypatch, capfd):
    monkeypatch.setattr(AppendedFile, "sync", full)
    train(tiny(steps=5), tmp_path / "run", device=CPU)
    assert len(warnings(capfd.readouterr().err)) == 2
    assert newest_valid(tmp_path / "run" / "checkpoints")[0].name == "step-00000005"


def test_a_checkpoint_that_cannot_be_written_is_an_error_and_the_run_goes_on_from_the_last(
    tmp_path, tiny, state
):
    train(tiny(steps=12), tmp_path / "whole", device=CPU)
    run = tmp_path / "run"
    train(tiny(steps=5), run, device=CPU)
    weights = run / "checkpoints" / "step-00000005" / "weights.safetensors"
    with largest_file(weights.stat().st_size - 1), pytest.raises(UserError) as error:
        resume(run, device=CPU, steps=12)
    words = f"{run / 'checkpoints' / 'step-00000010'}: cannot be written (File too large); make room there"
    assert str(error.value).startswith(words) and str(error.value).endswith(f"go on with --resume {run}")
    assert "\n" not in str(error.value)
    assert [path.name for path in sorted((run / "checkpoints").iterdir())] == [
        "step-00000000",
        "step-00000005",
    ]
    resume(run, device=CPU)
    assert state(run) == state(tmp_path / "whole")


def test_a_run_that_cannot_begin_says_so_before_its_first_step(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(EBGAN, "step", full)
    with largest_file(5000), pytest.raises(UserError, match=r"step-00000000: cannot be written"):
        train(tiny(steps=5), tmp_path / "run", device=CPU)
    with pytest.raises(UserError, match=r"run: cannot be written \(Not a directory\)"):
        (tmp_path / "file").write_text("")
        train(tiny(steps=5), tmp_path / "file" / "run", device=CPU)


def test_a_damaged_line_of_the_log_costs_the_curves_alone(tmp_path, tiny, monkeypatch, capfd):
    """Whatever another program does to the log while a run trains."""
    run = RunFolder.create(tmp_path / "run", "train gan", tiny(steps=8))
    system = train(tiny(steps=1), tmp_path / "other", device=CPU)
    step = system.step

    def spoil(number: int) -> object:
        if number == 5:
            run.metrics.write_text("no JSON\n" + run.metrics.read_text())
        return step(number)

    monkeypatch.setattr(system, "step", spoil)
    capfd.readouterr()
    Trainer(system, run, tiny(steps=8)).train()
    assert newest_valid(run.checkpoints)[0].name == "step-00000008"
    (told,) = warnings(capfd.readouterr().err)
    assert "the curves of step 8" in told and "line 1 is damaged" in told

"""Runs of `ebgan train video`: resumed, fine-tuned, and from the command line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ebgan import UserError
from ebgan.cli import main
from ebgan.video import VideoConfig, preset, resume, runs, train, trained_generator
from support.moving_squares import MovingSquares

CPU = torch.device("cpu")
WIDTH = 0.05


@pytest.fixture(autouse=True)
def _clips_in_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runs, "load_clips", lambda name, split, root, **options: name)
    monkeypatch.setattr(runs, "ClipBatches", MovingSquares)


@pytest.fixture
def tiny() -> Callable[..., VideoConfig]:
    def config(loss: str = "l1", **changes: object) -> VideoConfig:
        small = {"width": WIDTH, "batch_size": 2, "threads": 1, "log_every": 2, "checkpoint_every": 3}
        return dataclasses.replace(preset("4to1", loss), **small | changes)

    return config


def newest(run: Path) -> dict[str, object]:
    """What must be equal of two runs: weights, moments, rates, and the log but for its clock."""
    checkpoint = max((run / "checkpoints").glob("step-*"))
    description = json.loads((checkpoint / "checkpoint.json").read_text())
    del description["seconds"], description["own_sha256"]  # the clock, and a checksum over it
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {**description, "rows": [{**row, "seconds": 0} for row in rows]}


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_resumed_run_equals_one_that_never_stopped(tmp_path, tiny, optimizer):
    config = tiny("adv+gdl", optimizer=optimizer, decay_steps=8)
    train(dataclasses.replace(config, steps=8), tmp_path / "whole", device=CPU)
    train(dataclasses.replace(config, steps=4), tmp_path / "halves", device=CPU)
    resume(tmp_path / "halves", device=CPU, steps=8)
    assert newest(tmp_path / "halves") == newest(tmp_path / "whole")


def test_a_run_resumed_with_more_steps_does_not_decay_anew(tmp_path, tiny):
    train(tiny(steps=2), tmp_path / "run", device=CPU)
    system = resume(tmp_path / "run", device=CPU, steps=3)
    assert '"decay_steps": 2' in (tmp_path / "run" / "config.json").read_text()
    assert system.optimizers["generator"].param_groups[0]["lr"] == 0.005


def test_the_trained_generator_is_the_one_of_the_run(tmp_path, tiny):
    system = train(tiny(steps=2), tmp_path / "run", device=CPU)
    loaded = trained_generator(tmp_path / "run", CPU)
    torch.testing.assert_close(loaded.state_dict(), system.generator.state_dict(), rtol=0, atol=0)


def test_fine_tuning_on_larger_patches_starts_from_the_generator_of_a_run(tmp_path, tiny, caplog):
    first = train(tiny("adv", steps=1), tmp_path / "small", device=CPU)
    taught = {name: value.clone() for name, value in first.generator.state_dict().items()}
    config = tiny("adv", steps=1, patch=64, generator_from=str(tmp_path / "small"), generator_lr=1e-12)
    tuned = train(dataclasses.replace(config, generator_final_lr=1e-12), tmp_path / "large", device=CPU)
    torch.testing.assert_close(tuned.generator.state_dict(), taught)
    assert any("discriminator for patches of 64 pixels" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 0.1}, "has the width 0.05, this run 0.1"),
        ({"tanh": "before"}, "has the tanh after, this run"),
    ],
)
def test_another_kind_of_generator_cannot_be_started_from(tmp_path, tiny, changes, message):
    train(tiny(steps=1), tmp_path / "run", device=CPU)
    with pytest.raises(UserError, match=message):
        train(tiny(generator_from=str(tmp_path / "run"), **changes), tmp_path / "next", device=CPU)
    assert not (tmp_path / "next").exists()


def test_the_command_line_trains_and_resumes(tmp_path, capfd):
    run = tmp_path / "run"
    short = ["--width", str(WIDTH), "--batch-size", "2", "--log-every", "1", "--threads", "1"]
    arguments = ["train", "video", "--net", "8to8", "--loss", "adv+gdl", "--adversarial-weight", "0.1"]
    assert main([*arguments, "--steps", "2", "--out", str(run), *short]) == 0
    printed = capfd.readouterr().out.splitlines()
    for name in ("predictions", "terms", "accuracies"):
        assert f"{name}: {run / name}.png" in printed
    height, width, _ = np.asarray(Image.open(run / "predictions.png")).shape
    assert height == 13 + 8 + 6 * 72 + 8 and width > 16 * 72 + 8  # names stand above and to the left
    stored = json.loads((run / "config.json").read_text())["config"]
    assert (stored["adversarial_weight"], stored["gdl_weight"], stored["decay_steps"]) == (0.1, 1.0, 2)
    assert main(["train", "video", "--resume", str(run), "--steps", "3"]) == 0
    assert (run / "checkpoints" / "step-00000003").is_dir()


def test_help_shows_what_each_loss_changes(capsys):
    with pytest.raises(SystemExit):
        main(["train", "video", "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", "").split())
    assert "(default: 1; l2, l1, adv: 0)" in text
    assert "(default: 0.04; --optimizer adam: 0.0004)" in text
    assert "--bounce {mirror,random}" in text and "--net {4to1,8to8}" in text
    assert "(default: --steps of the new run)" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--net 5to5", "--net"),
        ("--loss huber", "--loss"),
        ("--patch 48", "--patch"),
        ("--gdl-weight -1", "--gdl-weight: got -1.0"),
        ("--generator-from nowhere", "nowhere: is not a run folder"),
        ("--resume nowhere", "nowhere: is not a run folder"),
        ("--resume nowhere --net 8to8", "net: a resumed run keeps its own value; leave --net out"),
        ("--resume nowhere --generator-lr 1", "leave --generator-lr out"),
        ("--out full", "full: exists already; go on with --resume full"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(tmp_path, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    width = [] if "--resume" in arguments else ["--width", str(WIDTH)]
    assert main(["train", "video", *width, *arguments.split()]) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1 and message in error


def test_a_run_of_another_system_is_not_resumed(tmp_path, tiny):
    train(tiny(steps=1), tmp_path / "run", device=CPU)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    (tmp_path / "run" / "config.json").write_text(json.dumps({**config, "command": "train gan"}))
    with pytest.raises(UserError, match="is a run of 'ebgan train gan', not of 'ebgan train video'"):
        resume(tmp_path / "run", device=CPU)

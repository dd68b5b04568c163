"""Runs of `ebgan train ladder`: trained, resumed, evaluated, and from the command line."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ebgan import UserError
from ebgan.cli import main
from ebgan.data import load
from ebgan.ladder import LadderConfig, error_rates, evaluate_run, preset, resume, train, trained_network

CPU = torch.device("cpu")


@pytest.fixture
def tiny() -> Callable[..., LadderConfig]:
    def config(model: str = "bottom", labels: int = 50, **changes: object) -> LadderConfig:
        small = {"layers": "16-8", "batch_size": 20, "log_every": 2, "checkpoint_every": 3, "steps": 8}
        small |= {"generator_layers": "8"} if model == "ebgan" else {}
        return dataclasses.replace(preset("digits", model, labels), **small | changes)

    return config


def newest(run: Path) -> dict[str, object]:
    """What must be equal of two runs: weights, moments, rates, and the log but for its clock."""
    checkpoint = max((run / "checkpoints").glob("step-*"))
    description = json.loads((checkpoint / "checkpoint.json").read_text())
    del description["seconds"], description["own_sha256"]  # the clock, and a checksum over it
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {**description, "rows": [{**row, "seconds": 0} for row in rows]}


@pytest.mark.parametrize("stop", [2, 5])
@pytest.mark.parametrize("model", ["full", "ebgan"])  # whose generator is frozen from step 4 on
def test_a_resumed_run_equals_one_that_never_stopped(tmp_path, tiny, model, stop):
    config = tiny(model, seeds=2, schedule_steps=8)
    train(config, tmp_path / "whole", device=CPU)
    train(dataclasses.replace(config, steps=stop), tmp_path / "halves", device=CPU)
    resume(tmp_path / "halves", device=CPU, steps=8)
    assert newest(tmp_path / "halves") == newest(tmp_path / "whole")


def test_another_seed_gives_another_run(tmp_path, tiny):
    for seed in (0, 1):
        train(tiny(steps=2, seed=seed), tmp_path / str(seed), device=CPU)
    assert newest(tmp_path / "0")["sha256"] != newest(tmp_path / "1")["sha256"]


def test_a_run_keeps_its_schedule_and_has_no_steps_beyond_it(tmp_path, tiny):
    train(tiny(steps=2), tmp_path / "run", device=CPU)
    assert '"schedule_steps": 2' in (tmp_path / "run" / "config.json").read_text()
    with pytest.raises(UserError, match="steps: got 3, but the learning rate is 0 after the schedule's 2"):
        resume(tmp_path / "run", device=CPU, steps=3)


def test_a_short_run_learns_the_digits(tmp_path):
    config = dataclasses.replace(preset("digits", "bottom", 100), steps=300, seeds=2)
    train(config, tmp_path / "run", device=CPU)
    scores = evaluate_run(tmp_path / "run")
    assert scores.examples == 355 and scores.mean < 0.15  # of ten classes; found was 0.095
    assert scores.mean == pytest.approx(sum(scores.errors.values()) / 2)
    first, second = scores.errors.values()
    assert scores.std == pytest.approx(abs(first - second) / 2**0.5)
    stored = json.loads((tmp_path / "run" / "scores.json").read_text())
    assert stored["scores"]["errors"] == scores.errors and stored["step"] == 300


def test_one_seed_has_no_deviation(tmp_path, tiny, capsys):
    train(tiny(seeds=1), tmp_path / "run", device=CPU)
    scores = evaluate_run(tmp_path / "run")
    assert scores.std is None and "±" not in str(scores)
    assert str(scores).splitlines()[-1] == f"seed 0  {scores.mean:>8.2%}"
    assert json.loads((tmp_path / "run" / "scores.json").read_text())["scores"]["std"] is None


def test_a_run_that_holds_out_examples_is_scored_on_them_alone(tmp_path, tiny, monkeypatch):
    system = train(tiny(held_out=200), tmp_path / "run", device=CPU)
    assert len(system.batches.data) == 1242
    scored = []

    def remember(networks, features, labels):
        scored.append(features)
        return error_rates(networks, features, labels)

    monkeypatch.setattr(sys.modules["ebgan.ladder.evaluate"], "error_rates", remember)
    scores = evaluate_run(tmp_path / "run")
    assert (scores.examples, scores.data) == (200, "digits held out of training")
    digits = torch.from_numpy(load("digits").images).flatten(1) / 255
    torch.testing.assert_close(torch.cat([system.batches.data.features.cpu(), *scored]), digits)


def test_the_trained_networks_are_those_of_the_run(tmp_path, tiny):
    system = train(tiny(seeds=2), tmp_path / "run", device=CPU)
    loaded = trained_network(tmp_path / "run", CPU)
    assert not loaded.training
    for found, expected in zip(loaded.parameters(), system.network.parameters(), strict=True):
        assert torch.equal(found, expected)
    assert not torch.equal(loaded.encoder[0].mean, system.network.encoder[0].mean)


@pytest.mark.parametrize("model", ["full", "gamma", "supervised", "ebgan"])
def test_the_command_line_trains_resumes_and_evaluates(tmp_path, capfd, model):
    run = tmp_path / "run"
    short = ["--layers", "16-8", "--batch-size", "20", "--log-every", "1", "--labels", "50"]
    arguments = ["train", "ladder", "--model", model, "--seeds", "2", "--out", str(run), *short]
    assert main([*arguments, "--steps", "2", "--schedule-steps", "6"]) == 0
    printed = capfd.readouterr().out.splitlines()
    pictures = {"weights", "reconstructions", "errors", "costs"}
    pictures |= {"samples", "energies"} if model == "ebgan" else set()
    pictures -= {"reconstructions"} if model in ("gamma", "supervised") else set()
    assert {line for line in printed if line.endswith(".png")} == {
        f"{name}: {run / name}.png" for name in pictures
    }
    assert all((run / f"{name}.png").stat().st_size > 0 for name in pictures)
    assert main(["train", "ladder", "--resume", str(run), "--steps", "3"]) == 0
    assert (run / "checkpoints" / "step-00000003").is_dir()
    capfd.readouterr()
    assert main(["evaluate", str(run)]) == 0
    printed = capfd.readouterr().out
    assert f"{model}, 50 labels: errors on digits test, 355 examples" in printed
    assert "seed 1" in printed and " ± " in printed and str(run / "scores.json") in printed


def test_help_shows_what_each_model_changes(capsys):
    with pytest.raises(SystemExit):
        main(["train", "ladder", "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", "").split())
    assert "--model {full,bottom,gamma,ebgan,supervised}" in text
    assert "(default: 0.002; ebgan --data mnist: 0.0005)" in text
    assert "(default: 5000; full, ebgan: 1000;" in text
    assert "(default: 1; bottom --data mnist, ebgan --data mnist: PyTorch's choice)" in text
    assert "(default: --steps of the new run)" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--model top", "--model"),
        ("--data cifar", "--data: got 'cifar', allowed are digits, mnist, fashion-mnist"),
        ("--data mnist", "needs a data root"),
        ("--labels 95", "--labels: got 95, allowed are multiples of 10, the number of classes, and all 1442"),
        ("--labels 0", "--labels: got 0"),
        ("--labels 2000", "--labels: got 2000, but 'digits' has 1442 examples to learn from"),
        ("--batch-size 1", "--batch-size: got 1, batch normalisation needs at least 2"),
        ("--held-out 5000", "--held-out: got 5000, but 'digits' has 1442 examples"),
        ("--layers wide", "--layers: got 'wide'"),
        ("--margin 3", "--margin: got 3.0, but only --model ebgan has a generator"),
        ("--resume nowhere", "nowhere: is not a run folder"),
        ("--resume nowhere --labels 100", "--labels: a resumed run keeps its own value; leave --labels out"),
        ("--resume nowhere --seeds 2", "--seeds: a resumed run keeps its own value; leave --seeds out"),
        ("--out full", "full: exists already; go on with --resume full"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(tmp_path, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    assert main(["train", "ladder", *arguments.split()]) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1 and message in error


def test_a_run_of_another_system_is_not_resumed(tmp_path, tiny):
    train(tiny(steps=1), tmp_path / "run", device=CPU)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    (tmp_path / "run" / "config.json").write_text(json.dumps({**config, "command": "train gan"}))
    with pytest.raises(UserError, match="is a run of 'ebgan train gan', not of 'ebgan train ladder'"):
        resume(tmp_path / "run", device=CPU)

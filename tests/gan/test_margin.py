"""`--margin auto`, the average of the generator, and the advice where training fails."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from ebgan import UserError
from ebgan.cli import main
from ebgan.gan import SYSTEM, build, preset, trained_generator
from ebgan.gan import margin as of_margin
from ebgan.gan.ebgan import EBGAN, diversity
from ebgan.gan.margin import Settled, measured, settle
from ebgan.training import NonFinite, load_newest, meter, seed_step, trainer

CPU = torch.device("cpu")
SMALL = dataclasses.replace(
    preset("digits"), generator_width=16, discriminator_width=16, batch_size=16, steps=4, threads=1
)


def test_the_margin_is_a_multiple_of_the_energy_to_three_digits():
    assert Settled(energy=0.745, steps=900, rows=()).margin == pytest.approx(
        0.745 * of_margin.FACTOR, rel=0.005
    )
    assert Settled(energy=12345.0, steps=1, rows=()).margin == round(12345 * of_margin.FACTOR, -2)


def test_the_auto_encoder_alone_settles_where_its_energy_stops_falling(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(of_margin, "WINDOW", 50)
    first, second = settle(SMALL, CPU, None), settle(SMALL, CPU, None)
    assert first.energy == second.energy and first.steps == second.steps
    assert first.steps % 50 == 0 and first.steps < of_margin.MOST_STEPS
    longer = settle(dataclasses.replace(SMALL, discriminator_width=64), CPU, None)
    assert longer.energy < first.energy  # more codes, a better reconstruction


def test_a_run_with_auto_is_the_run_that_is_given_its_margin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(of_margin, "MOST_STEPS", 100)
    SYSTEM.train(dataclasses.replace(SMALL, margin="auto"), tmp_path / "auto", device=CPU)
    config = json.loads((tmp_path / "auto" / "config.json").read_text())["config"]
    assert isinstance(config["margin"], float)
    SYSTEM.train(dataclasses.replace(SMALL, margin=config["margin"]), tmp_path / "given", device=CPU)
    ours, theirs = (trained_generator(tmp_path / name, CPU) for name in ("auto", "given"))
    assert all(map(torch.equal, ours.state_dict().values(), theirs.state_dict().values()))
    SYSTEM.resume(tmp_path / "auto", steps=6)
    assert not (tmp_path / "given" / "measured.jsonl").exists()


def test_how_the_energy_settles_is_shown_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(of_margin, "WINDOW", 30)
    monkeypatch.setattr(of_margin, "MOST_STEPS", 120)
    for waiting in ("FIRST_LINE", "LATER"):
        monkeypatch.setattr(meter, waiting, 0.0)
    config = dataclasses.replace(SMALL, margin="auto", log_every=20)
    SYSTEM.train(config, tmp_path / "run", device=CPU)
    rows = [json.loads(line) for line in (tmp_path / "run" / "measured.jsonl").open()]
    ends = [row for row in rows if "mean_energy" in row]
    means = [row["mean_energy"] for row in ends]
    assert [row["step"] for row in ends] == list(range(30, 30 * len(ends) + 1, 30))
    assert {row["step"] for row in rows} == {
        s for s in range(1, ends[-1]["step"] + 1) if not (s % 20 and s % 30)
    }
    assert sorted(row["seconds"] for row in rows) == [row["seconds"] for row in rows]
    said = capsys.readouterr()
    assert "trains until its energy falls by less than 2% in 30 steps, for 120 at most" in said.out
    assert f"settles at an energy of {min(means):.3g} after {ends[-1]['step']} steps" in said.out
    for row in ends:
        values = f"energy {row['energy']:.3g}, mean_energy {row['mean_energy']:.3g}"
        assert re.search(rf"^step {row['step']} of 120 .* left: {re.escape(values)}$", said.err, re.MULTILINE)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_measurement_at_once_and_leaves_nothing(
    number: signal.Signals,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    learn, before = of_margin._learn, signal.getsignal(number)
    learned = []

    def asked_in_the_third(*arguments: Any) -> torch.Tensor:
        learned.append(1)
        if len(learned) == 3:
            signal.raise_signal(number)
        return learn(*arguments)

    monkeypatch.setattr(of_margin, "_learn", asked_in_the_third)
    words = ["train", "gan", "--margin", "auto", "--threads", "1", "--device", "cpu"]
    assert main([*words, "--out", str(tmp_path / "run")]) == 128 + number
    said = capsys.readouterr().err
    assert said.endswith(f"ebgan: {of_margin.STOPPED}\n") and said.startswith("step 2 of 3,000")
    assert len(learned) == 3 and not (tmp_path / "run").exists()
    assert signal.getsignal(number) is before


def test_an_energy_that_is_no_number_is_an_error_that_names_remedies():
    wild = dataclasses.replace(SMALL, discriminator_lr=1e30, log_every=10)
    with pytest.raises(
        NonFinite, match=r"the energy is (nan|inf) at step 10 of measuring .*--discriminator-lr"
    ):
        settle(wild, CPU, None)


def test_a_number_is_left_alone(capsys: pytest.CaptureFixture[str]):
    config, rows = measured(SMALL, CPU, None)
    assert config is SMALL and not rows and not capsys.readouterr().out


def test_other_words_are_refused(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(UserError, match="margin: got 'atuo', allowed are auto and numbers; did you mean"):
        dataclasses.replace(SMALL, margin="atuo")
    with pytest.raises(UserError, match="--model gan has none"):
        dataclasses.replace(SMALL, model="gan", margin="auto")
    assert main(["train", "gan", "--margin", "atuo"]) == 2
    assert "margin" in capsys.readouterr().err


def test_the_average_follows_the_weights_and_is_what_samples_come_from(tmp_path: Path):
    config = dataclasses.replace(SMALL, averaging=0.5)
    system = build(config, CPU, None)
    expected = [weights.clone() for weights in system.generator.parameters()]
    for step in range(1, 5):
        seed_step(config.seed, step)
        system.step(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = [
            decay * average + (1 - decay) * weights.detach()
            for average, weights in zip(expected, system.generator.parameters(), strict=True)
        ]
    for average, wanted in zip(system.averaged.parameters(), expected, strict=True):
        torch.testing.assert_close(average, wanted)
    SYSTEM.train(config, tmp_path / "run", device=CPU)
    (run, _), net = SYSTEM.open_run(tmp_path / "run"), trained_generator(tmp_path / "run", CPU)
    last = build(config, CPU, None)
    load_newest(run, {"averaged_generator": last.averaged, "generator": last.generator})
    assert all(map(torch.equal, net.state_dict().values(), last.averaged.state_dict().values()))
    assert not torch.equal(next(net.parameters()), next(last.generator.parameters()))


def test_an_averaged_run_resumes_to_the_same_bits_and_trains_the_same_weights(tmp_path: Path):
    config = dataclasses.replace(SMALL, averaging=0.9)
    SYSTEM.train(dataclasses.replace(config, steps=2), tmp_path / "parts", device=CPU)
    SYSTEM.resume(tmp_path / "parts", steps=4, device=CPU)
    whole = SYSTEM.train(config, tmp_path / "whole", device=CPU)
    plain = SYSTEM.train(SMALL, tmp_path / "plain", device=CPU)
    net = trained_generator(tmp_path / "parts", CPU)
    assert all(map(torch.equal, net.state_dict().values(), whole.averaged.state_dict().values()))
    assert all(map(torch.equal, plain.generator.parameters(), whole.generator.parameters()))


def test_diversity_is_the_ratio_of_mean_distances():
    torch.manual_seed(0)
    fake, real = torch.randn(5, 1, 2, 2), 3 * torch.randn(7, 1, 2, 2)

    def distance(images: torch.Tensor) -> float:
        flat = images.flatten(1)
        return float((flat[:, None] - flat[None]).square().sum(-1).mean().sqrt())

    assert diversity(fake, real).item() == pytest.approx(distance(fake) / distance(real), rel=1e-5)


def test_advice_is_given_where_training_fails():
    system = build(SMALL, CPU, None)
    good = {"diversity": 0.9, "hinge_active": 0.8, "fake_energy": 2.0, "margin": 3.0}
    assert system.advice(good) == ""
    assert "collapsed" in system.advice({**good, "diversity": 0.1})
    assert "--margin auto" in system.advice({**good, "hinge_active": 0.0, "fake_energy": 4.0})


def test_a_run_tells_each_advice_once_and_not_at_its_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(EBGAN, "advice", lambda self, values: "try less")
    config = dataclasses.replace(SMALL, log_every=1)
    SYSTEM.train(config, tmp_path / "short", device=CPU)
    assert "try less" not in capsys.readouterr().err
    monkeypatch.setattr(trainer._Adviser, "PATIENCE", 3)
    SYSTEM.train(dataclasses.replace(config, steps=9), tmp_path / "long", device=CPU)
    assert capsys.readouterr().err.count("step 4: try less") == 1

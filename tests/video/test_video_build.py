"""From a configuration to a system on real data sets."""

from __future__ import annotations

import dataclasses
from functools import partial

import pytest
import torch
from torch.optim import SGD, Adam

from ebgan.cli import main
from ebgan.data import ClipAugmentation
from ebgan.video import VideoPrediction, build, preset, runs

CPU = torch.device("cpu")


def built(**changes: object) -> VideoPrediction:
    loss = changes.pop("loss", "l1")
    small = {"width": 0.05, "batch_size": 2, "threads": 1}
    return build(dataclasses.replace(preset("4to1", loss), **small | changes), CPU, None)


def test_the_embedded_clips_train_every_network():
    metrics = built(loss="adv+gdl").step(1)
    assert all(torch.isfinite(value).all() for value in metrics.values())


def test_the_options_of_the_data_reach_it(monkeypatch):
    calls = {}
    for name in ("load_clips", "ClipBatches"):
        call = partial(calls.__setitem__, name)
        monkeypatch.setattr(runs, name, lambda *given, call=call, **options: call((given[1:], options)))
    clips = {"size": 48, "bounce": "random", "fold": 2}
    built(**clips, batch_size=3, patch=64, min_motion=5.0, flip=True, scale_colours=0.2, seed=7)
    assert calls["load_clips"] == (("train", None), clips)
    patches = {"frames": 5, "size": 64, "scales": 4, "min_motion": 5.0, "seed": 7, "threads": 1}
    patches["augmentation"] = ClipAugmentation(flip=True, scale_colours=0.2)
    assert calls["ClipBatches"] == ((3,), patches)


@pytest.mark.parametrize(("optimizer", "kind"), [("sgd", SGD), ("adam", Adam)])
def test_both_networks_have_the_optimiser_and_rates_of_the_configuration(optimizer, kind):
    system = built(loss="adv", optimizer=optimizer, generator_lr=0.5, discriminator_lr=0.25, beta1=0.7)
    rates = {name: each.param_groups[0]["lr"] for name, each in system.optimizers.items()}
    assert rates == {"generator": 0.5, "discriminator": 0.25}
    for each in system.optimizers.values():
        assert type(each) is kind
        if optimizer == "adam":
            assert each.param_groups[0]["betas"] == (0.7, 0.999)
        else:
            assert each.param_groups[0]["momentum"] == 0


def test_one_seed_gives_one_start_and_another_another():
    one, same, other = (built(seed=seed).generator.state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not any(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--data cifar", "unknown set of clips 'cifar'; known are moving-digits, ucf101, videos"),
        ("--data ucf101", "needs a data root"),
        ("--data videos --bounce random", "bounce: data set 'videos' has no use for it; leave it out"),
        ("--patch 64 --size 32", "64"),
    ],
)
def test_wrong_data_are_one_line_and_code_2(tmp_path, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    assert main(["train", "video", *arguments.split()]) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1 and message in error
    assert not (tmp_path / "runs").exists()

"""Settings of video prediction: the presets, and what wrong ones are told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ebgan import UserError
from ebgan.video import LOSSES, PRESETS, preset


def test_the_presets_have_the_papers_optimiser_and_each_losss_terms():
    for loss, terms in LOSSES.items():
        settings = preset("4to1", loss)
        assert (settings.loss, settings.terms, settings.net) == (loss, terms, "4to1")
        assert (settings.optimizer, settings.generator_lr, settings.generator_final_lr) == (
            "sgd",
            0.04,
            0.005,
        )
        assert settings.discriminator_lr == 0.02
        assert settings.batch_size == (8 if "adv" in loss else 4)


def test_the_listed_presets_are_every_losss_and_adams():
    assert {name: PRESETS[name] for name in LOSSES} == {name: preset(loss=name) for name in LOSSES}
    assert PRESETS["--optimizer adam"].generator_lr == preset(optimizer="adam").generator_lr == 4e-4


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"net": "5to5"}, "net: got '5to5', allowed are 4to1, 8to8"),
        ({"loss": "l3"}, r"loss: got 'l3', allowed are l2, l1, gdl, adv, adv\+gdl"),
        ({"patch": 48}, "patch: got 48, allowed are 32, 64"),
        ({"min_motion": -1.0}, "min_motion: got -1.0"),
        ({"width": 0.0}, "width: got 0.0"),
        ({"tanh": "between"}, "tanh: got 'between'"),
        ({"optimizer": "lion"}, "optimizer: got 'lion', allowed are adam, sgd"),
        ({"generator_lr": 0.0}, "generator_lr: got 0.0"),
        ({"generator_final_lr": -1.0}, "generator_final_lr: got -1.0"),
        ({"discriminator_lr": float("nan")}, "discriminator_lr: got nan"),
        ({"decay_steps": 0}, "decay_steps: got 0"),
        ({"beta1": 1.0}, "beta1: got 1.0"),
        ({"p": 3}, "p: got 3"),
        ({"alpha": 0.9}, "alpha: got 0.9"),
        ({"gdl_weight": -1.0}, "gdl_weight: got -1.0"),
        ({"lp_weight": 0.0, "gdl_weight": 0.0}, "are all 0"),
        ({"batch_size": 0}, "batch_size: got 0"),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message):
        dataclasses.replace(preset(), **changes)


def test_an_unknown_loss_has_no_preset():
    with pytest.raises(UserError, match="loss: got 'huber', allowed are l2, l1"):
        preset(loss="huber")

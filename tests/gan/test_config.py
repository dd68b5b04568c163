"""Settings of a GAN: the presets, and what wrong ones are told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch
from torch.optim import SGD, Adam

from ebgan import UserError
from ebgan.gan import EBGAN, GAN, PRESETS, build, preset


def test_the_presets_of_mnist_are_the_papers_best():
    ebgan, gan = preset("mnist"), preset("mnist", "gan")
    assert (ebgan.margin, ebgan.optimizer, ebgan.generator_lr, ebgan.discriminator_lr) == (
        10,
        "adam",
        1e-3,
        1e-3,
    )
    assert (gan.margin, gan.optimizer, gan.generator_lr, gan.discriminator_lr) == (None, "sgd", 0.01, 0.01)
    assert gan.generator_width == 1600 and gan.steps == ebgan.steps and gan.batch_size == ebgan.batch_size


def test_every_preset_is_of_its_model_and_data():
    for model, of_data in PRESETS.items():
        assert all((config.model, config.data) == (model, data) for data, config in of_data.items())


@pytest.mark.parametrize(("model", "system"), [("ebgan", EBGAN), ("gan", GAN)])
@pytest.mark.parametrize(("optimizer", "kind"), [("adam", Adam), ("sgd", SGD)])
def test_a_configuration_becomes_its_system_and_optimisers(model, system, optimizer, kind):
    margin = 3.0 if model == "ebgan" else None
    config = dataclasses.replace(
        preset("digits"), model=model, margin=margin, optimizer=optimizer, generator_lr=0.5
    )
    built = build(config, torch.device("cpu"), None)
    assert type(built) is system
    assert {type(each) for each in built.optimizers.values()} == {kind}
    assert built.generator_optimizer.param_groups[0]["lr"] == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "wgan"}, "model: got 'wgan', allowed are ebgan, gan"),
        ({"model": "gan"}, "margin: got 3.0, but --model gan has none; leave it out"),
        ({"model": "gan", "margin": None, "pulling_away_weight": 0.1}, "pulling_away_weight: got 0.1, but"),
        ({"margin": None}, "margin: is missing; --model ebgan needs one"),
        ({"margin": -1.0}, "margin: got -1.0"),
        ({"pulling_away_weight": -0.1}, "pulling_away_weight: got -0.1"),
        ({"optimizer": "lion"}, "optimizer: got 'lion', allowed are adam, sgd"),
        ({"batch_size": 1}, "batch_size: got 1"),
        ({"beta1": 1.0}, "beta1: got 1.0"),
        ({"generator_lr": 0.0}, "generator_lr: got 0.0"),
    ],
)
def test_wrong_settings_are_named(changes: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message):
        dataclasses.replace(preset("digits"), **changes)


def test_models_and_data_without_settings_are_named():
    with pytest.raises(UserError, match="data: got 'cifar', allowed are digits, mnist"):
        preset("cifar")
    with pytest.raises(UserError, match="there are no settings of 'gan' for 'images', only for digits"):
        preset("images", "gan")

"""Settings of ladder networks: the published values, schedules, and what wrong ones are told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from ebgan import UserError
from ebgan.ladder import LadderEBGAN, LinearDecay, build, preset

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("model", "labels", "lambdas"),
    [
        ("full", 50, (2000, 20, 0.1, 0.1, 0.1, 0.1, 0.1)),
        ("full", 100, (1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1)),
        ("full", 1000, (2000, 20, 0.1, 0.1, 0.1, 0.1, 0.1)),
        ("full", 60_000, (1000, 1, 0.01, 0.01, 0.01, 0.01, 0.01)),
        ("bottom", 100, (5000, 0, 0, 0, 0, 0, 0)),
        ("bottom", 200, (5000, 0, 0, 0, 0, 0, 0)),
        ("bottom", 1000, (2000, 0, 0, 0, 0, 0, 0)),
        ("gamma", 100, (0, 0, 0, 0, 0, 0, 0.5)),
        ("gamma", 1000, (0, 0, 0, 0, 0, 0, 10)),
        ("gamma", 60_000, (0, 0, 0, 0, 0, 0, 2)),
        ("ebgan", 1000, (1000, 0, 0, 0, 0, 0, 0)),
        ("supervised", 100, (0, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_lambdas_are_the_published_ones(model, labels, lambdas):
    assert preset("mnist", model, labels).lambdas == lambdas


def test_the_rest_of_the_recipe_is_the_published_one():
    ladder = preset("mnist")
    assert (ladder.lr, ladder.beta1, ladder.decay_start) == (0.002, 0.9, 0.67)
    assert (ladder.batch_size, ladder.steps, ladder.layers) == (100, 90_000, "1000-500-250-250-250")
    assert (ladder.input_noise, ladder.layer_noise) == (0.3, 0.3)
    assert preset("mnist", "full", 1000).layer_noise == 0.2
    assert preset("mnist", "supervised").layer_noise == 0.5


def test_a_rate_is_constant_and_then_falls_along_a_line_to_0():
    rates = [LinearDecay(0.002, 100, 0.67)(step) for step in range(1, 121)]
    assert rates[:68] == [0.002] * 68
    assert rates[68:100] == pytest.approx([0.002 * (100 - done) / 33 for done in range(68, 100)])
    assert all(rate > 0 for rate in rates[:100]) and rates[100:] == [0.0] * 20


def test_the_optimiser_has_the_rate_of_each_step():
    system = build(
        dataclasses.replace(preset(), layers="8", batch_size=4, steps=4, decay_start=0.5), CPU, None
    )
    rates = []
    for step in range(1, 5):
        system.step(step)
        rates.append(system.optimizers["network"].param_groups[0]["lr"])
    assert rates == [0.002, 0.002, 0.002, 0.001]


def test_the_recipe_of_ebgan_is_scaled_to_the_steps_of_the_run():
    config = preset("mnist", "ebgan")
    assert (config.margin, config.lr, config.generator_lr, config.beta1) == (16, 0.0005, 0.00025, 0.5)
    small = dataclasses.replace(config, data="digits", layers="8", generator_layers="8", steps=180)
    system = build(small, CPU, None)
    assert isinstance(system, LadderEBGAN)
    assert [round(system.margin(step), 9) for step in (1, 31, 60, 61, 180)] == [
        16,
        8,
        round(16 / 60, 9),
        0,
        0,
    ]
    rate = system.schedule
    assert rate(120) == rate(1) == 0.0005 and rate(122) < 0.0005 and rate(151) == pytest.approx(0.00025)
    longer = build(dataclasses.replace(small, steps=18, schedule_steps=1800), CPU, None)
    assert longer.margin(301) == 8


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("bottom", {"model": "top"}, "model: got 'top', allowed are full, bottom, gamma, ebgan, supervised"),
        ("bottom", {"data": "cifar"}, "data: got 'cifar', allowed are digits, mnist, fashion-mnist"),
        ("bottom", {"combinator": "mlp"}, "combinator: got 'mlp', allowed are gauss"),
        ("bottom", {"precision": "float16"}, "precision: got 'float16'"),
        ("bottom", {"batch_size": 1}, "batch_size: got 1, batch normalisation needs at least 2"),
        ("bottom", {"labels": 0}, "labels: got 0"),
        ("bottom", {"seeds": 0}, "seeds: got 0"),
        ("bottom", {"layers": "100,50"}, "layers: got '100,50', expected numbers of units such as 500-250"),
        ("bottom", {"layers": "100-0"}, "layers: got '100-0'"),
        ("bottom", {"layers": ""}, "layers: got ''"),
        ("bottom", {"layer_noise": -0.1}, "layer_noise: got -0.1"),
        ("bottom", {"lr": 0.0}, "lr: got 0.0"),
        ("bottom", {"beta1": 1.0}, "beta1: got 1.0, allowed are numbers from 0 to below 1"),
        ("bottom", {"decay_start": 1.0}, "decay_start: got 1.0"),
        ("bottom", {"held_out": -1}, "held_out: got -1"),
        ("bottom", {"lambda_bottom": -1.0}, "lambda_bottom: got -1.0"),
        ("bottom", {"lambda_top": 1.0}, "lambda_top: got 1.0, but --model bottom has none"),
        ("gamma", {"lambda_bottom": 1.0}, "lambda_bottom: got 1.0, but --model gamma has none"),
        ("supervised", {"lambda_top": 1.0}, "lambda_top: got 1.0, but --model supervised has none"),
        ("ebgan", {"lambda_bottom": 0.0}, "lambda_bottom: got 0.0"),
        ("bottom", {"margin": 3.0}, "margin: got 3.0, but only --model ebgan has a generator; leave it out"),
        ("ebgan", {"margin": None}, "margin: is missing; --model ebgan needs it"),
        ("ebgan", {"margin": 0.0}, "margin: got 0.0"),
        ("ebgan", {"margin_share": 0.0}, "margin_share: got 0.0"),
        ("ebgan", {"generator_lr": 0.0}, "generator_lr: got 0.0"),
        ("ebgan", {"generator_layers": "wide"}, "generator_layers: got 'wide'"),
        ("ebgan", {"codes": 0}, "codes: got 0"),
        ("bottom", {"steps": 9, "schedule_steps": 8}, "steps: got 9, but the learning rate is 0 after the"),
    ],
)
def test_wrong_settings_are_named(model: str, changes: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message) as error:
        dataclasses.replace(preset("digits", model), **changes)
    assert "\n" not in str(error.value)


def test_no_more_examples_can_be_held_out_than_there_are():
    with pytest.raises(UserError, match="held_out: got 1442, but 'digits' has 1442 examples"):
        build(dataclasses.replace(preset(), held_out=1442), CPU, None)


def test_half_precision_is_of_the_products_alone():
    config = dataclasses.replace(preset(), layers="8", batch_size=20, precision="bfloat16")
    system = build(config, CPU, None)
    noise, batch = system.noise.draw(1), system.batches.at(0)
    half, _ = system.objective(batch, noise)
    system.precision = "float32"
    full, _ = system.objective(batch, noise)
    assert half.dtype == torch.float32 and half.item() != full.item()
    torch.testing.assert_close(half, full, rtol=0.02, atol=0)

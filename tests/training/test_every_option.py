"""Every field of every configuration, at another value, changes what is built or its first two steps.

A field that a new system adds is tested by being there: it needs another value in `OTHER`, or a reason in
`ELSEWHERE`.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from ebgan import UserError, disentangle, gan, ladder, video
from ebgan.systems import SYSTEMS
from ebgan.training import Description, TrainingConfig, cpu_threads, seed_step

CPU = torch.device("cpu")
FEW = {"threads": 1, "steps": 2, "batch_size": 10}
BASE: dict[str, TrainingConfig] = {
    "gan": dataclasses.replace(gan.preset(), **FEW, generator_width=8, discriminator_width=8),
    "ladder": dataclasses.replace(ladder.preset(model="full"), **FEW, layers="8-8-8", decay_start=0.25),
    "ladder --model ebgan": dataclasses.replace(
        ladder.preset(model="ebgan"), **FEW, layers="8", generator_layers="8", margin=40.0
    ),
    "disentangle": dataclasses.replace(disentangle.preset(), **FEW, width=4, class_weight=0.1),
    "disentangle --adversary energies": dataclasses.replace(
        disentangle.preset(), **FEW, width=4, adversary="energies", margin=5.0, adversarial_weight=1.0
    ),
    "video": dataclasses.replace(
        video.preset("4to1", "adv+gdl"),
        **FEW | {"batch_size": 2},
        width=0.05,
        size=64,
        optimizer="adam",
        decay_steps=2,
    ),
}
LOOP = {"seed": 1, "precision": "bfloat16", "compiled": True, "batch_size": 12}
RATES = {"optimizer": "sgd", "generator_lr": 0.01, "discriminator_lr": 0.01, "beta1": 0.7}
# What stands in the way of a value is named by an error, which shows that the value arrived.
OTHER: dict[str, dict[str, Any]] = {
    "gan": {
        **LOOP,
        **RATES,
        "data": "mnist",
        "model": ("gan", {"margin": None}),
        "net": "mnist",
        "noise_size": 3,
        "generator_layers": 2,
        "generator_width": 9,
        "discriminator_layers": 3,
        "discriminator_width": 9,
        "dropout": True,
        "margin": 90.0,
        "distance": "squared_l2",
        "shaping": "square",
        "pulling_away_weight": 0.1,
        "discriminator_optimizer": "sgd",
        "averaging": 0.5,
        "accumulate": 2,
        "flip": True,
        "crop_from": 12,
    },
    "ladder": {
        **LOOP,
        "data": "mnist",
        "model": ("bottom", {"lambda_first": 0, "lambda_middle": 0, "lambda_top": 0}),
        "labels": 50,
        "seeds": 2,
        "layers": "8-8-9",
        "combinator": "lin",
        "input_noise": 0.5,
        "layer_noise": 0.5,
        "lambda_bottom": 1.0,
        "lambda_first": 1.0,
        "lambda_middle": 1.0,
        "lambda_top": 1.0,
        "lr": 0.01,
        "beta1": 0.5,
        "decay_start": 0.0,
        "schedule_steps": 200,
        "steps": 200,
        "held_out": 500,
    },
    "ladder --model ebgan": {
        "margin": 20.0,
        "margin_share": 1.0,
        "generator_lr": 0.1,
        "generator_layers": "9",
        "codes": 3,
    },
    "disentangle": {
        **LOOP,
        **RATES,
        "data": "mnist",
        "identity": "colour",
        "size": 12,
        "net": "big",
        "width": 5,
        "style_size": 3,
        "identity_size": 7,
        "reconstruction_weight": 0.7,
        "swap_weight": 0.7,
        "adversarial_weight": 0.7,
        "kl_weight": 0.7,
        "sampling_weight": 0.7,
        "class_weight": 0.7,
        "adversary": ("energies", {"margin": 1.0}),
    },
    "disentangle --adversary energies": {"margin": 0.01},
    "video": {
        **LOOP,
        **RATES,
        "net": "8to8",
        "data": "ucf101",
        "patch": 64,
        "size": 48,
        "bounce": "random",
        "fold": 1,
        "min_motion": 60.0,
        "flip": True,
        "reverse_time": True,
        "permute_colours": True,
        "scale_colours": 0.5,
        "channels_last": True,
        "width": 0.1,
        "tanh": "before",
        "p": 2,
        "alpha": 2.0,
        "lp_weight": 0.5,
        "gdl_weight": 0.5,
        "adversarial_weight": 0.5,
        "generator_final_lr": 1e-6,
        "decay_steps": 50,
        "generator_from": "nowhere",
    },
}
# Fields that change neither, and what tests them instead.
ELSEWHERE: dict[str, str] = {
    "steps": "the loop's: test_trainer.py; where a schedule falls with them they are among the others",
    "threads": "the loop's, and results but for the last bits are the same: test_trainer.py",
    "log_every": "the loop's: test_trainer.py",
    "picture_every": "the loop's: test_resume.py",
    "checkpoint_every": "the loop's: test_trainer.py",
    "keep": "the loop's: test_trainer.py",
    "video loss": "sets the exponents and weights of a preset and the run's name: test_video_config.py",
    "video held_out_share": "moving-digits have a test split: test_video_evaluate.py",
}
CASES = [(name, field) for name, fields in OTHER.items() for field in fields]


def system_of(name: str) -> Description[Any, Any]:
    return next(system for system in SYSTEMS if system.name == name.split()[0])


def behaviour(name: str, config: TrainingConfig) -> list[Any]:
    """What is built, as strides and numbers, and the metrics of its first two steps; or the error instead."""
    description = system_of(name)
    try:
        config = description.prepare(config)
        system = description.build(config, CPU, None)
        description.start(config, system)
    except UserError as error:
        return [str(error)]
    found: list[Any] = []
    for step in (1, 2):
        seed_step(config.seed, step)
        found += [(key, value.double().mean().item()) for key, value in system.step(step).items()]
    for module in system.modules.values():
        for weight in module.state_dict().values():
            found.append((weight.stride(), weight.double().sum().item(), weight.double().norm().item()))
    return found


@cache
def base_behaviour(name: str) -> list[Any]:
    return behaviour(name, BASE[name])


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    with cpu_threads(1):
        yield


def test_every_field_of_every_configuration_has_another_value_or_a_reason() -> None:
    for system in SYSTEMS:
        tested = {field for name, field in CASES if system_of(name) is system}
        for field in (each.name for each in dataclasses.fields(system.config)):
            elsewhere = field in ELSEWHERE or f"{system.name} {field}" in ELSEWHERE
            assert field in tested or elsewhere, f"{system.name}: {field}"


@pytest.mark.parametrize("name", BASE)
def test_the_same_configuration_behaves_the_same(name: str) -> None:
    assert len(base_behaviour(name)) > 10 and behaviour(name, BASE[name]) == base_behaviour(name)


@pytest.mark.parametrize(("name", "field"), CASES)
def test_a_field_at_another_value_changes_what_is_built_or_its_first_steps(
    name: str, field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = OTHER[name][field]
    value, along = value if isinstance(value, tuple) else (value, {})
    compiled: list[object] = []

    def compile_nothing(function: Any, **_: object) -> Any:
        compiled.append(function)
        return function

    monkeypatch.setattr(torch, "compile", compile_nothing)
    assert getattr(BASE[name], field) != value
    found = behaviour(name, dataclasses.replace(BASE[name], **along, **{field: value}))
    assert bool(compiled) == (field == "compiled")
    assert found != base_behaviour(name) or compiled
    if len(found) > 1:
        numbers = [number for each in found for number in each[1:] if isinstance(number, float)]
        assert np.isfinite(numbers).all()

"""Each switch of every system: the gradients of a first step, and a resumed run, are those without it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ebgan.systems import SYSTEMS
from ebgan.training import RunFolder, as_trained, cpu_threads, load_newest, seed_step

CPU = torch.device("cpu")
# The optimisers' rates are next to nothing: what learns second in a step sees the same of what learnt first.
STILL = {"optimizer": "adam", "generator_lr": 1e-12, "discriminator_lr": 1e-12}
GAN = {**STILL, "generator_width": 16, "discriminator_width": 16, "batch_size": 16}
VIDEO = {**STILL, "generator_final_lr": 1e-12, "width": 0.05, "batch_size": 2}
LADDER = {"layers": "16", "batch_size": 20, "lr": 1e-12}
SMALL: dict[str, dict[str, Any]] = {
    "gan": GAN,
    "gan --model gan": {**GAN, "model": "gan", "margin": None},
    "video": VIDEO,
    "video --loss adv+gdl": {**VIDEO, "net": "4to1", "loss": "adv+gdl"},
    "ladder": LADDER,
    "ladder --model ebgan": {**LADDER, "model": "ebgan", "generator_layers": "8", "generator_lr": 1e-12},
}
# The relative error (2-norm) that a switch may make: bfloat16 rounds to 2^-9, layer after layer.
BOUNDS = {"precision": 0.05, "channels_last": 1e-4, "compiled": 1e-5}
ON = {"precision": "bfloat16", "channels_last": True, "compiled": True}
CASES = [
    (name, switch) for name in SMALL for switch in ON if name.startswith("video") or switch != "channels_last"
]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread; and traced but not compiled, which takes half a minute for each of these steps."""
    torch._dynamo.reset()
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    with cpu_threads(1):
        yield


def configured(name: str, **changes: Any) -> tuple[Any, Any]:
    description = next(system for system in SYSTEMS if system.name == name.split()[0])
    options = SMALL[name]
    chosen = {key: options[key] for key in description.choosing if key in options and options[key] != "gan"}
    base = description.preset(**chosen)
    return description, dataclasses.replace(base, threads=1, **options, **changes)


def first_gradients(name: str, **changes: Any) -> dict[str, Tensor]:
    """The gradient of every module in step 1, as its optimiser is given it."""
    description, config = configured(name, **changes)
    system = description.build(config, CPU, None)
    if name.startswith("ladder"):  # at its start most of a ladder's gradient is 0
        _move(system.modules.values())
    found: dict[str, Tensor] = {}
    for key, optimizer in system.optimizers.items():
        module: nn.Module = system.modules[key]

        def keep(*_: object, key: str = key, module: nn.Module = module) -> None:
            found[key] = torch.cat([parameter.grad.flatten() for parameter in module.parameters()])

        optimizer.register_step_pre_hook(keep)
    seed_step(0, 1)
    system.step(1)
    return found


def _move(modules: Iterable[nn.Module]) -> None:
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for module in modules:
            for parameter in module.parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=random))


@pytest.mark.parametrize(("name", "switch"), CASES, ids=lambda case: case)
def test_the_gradients_of_a_first_step_are_those_of_the_default(name, switch):
    expected, found = first_gradients(name), first_gradients(name, **{switch: ON[switch]})
    assert expected.keys() == found.keys() and expected
    for key, gradient in expected.items():
        assert gradient.norm() > 0
        error = (found[key] - gradient).norm() / gradient.norm()
        assert error < BOUNDS[switch], key
        assert switch != "precision" or error > 1e-4, "nothing was computed in bfloat16"


@pytest.mark.parametrize("name", SMALL)
def test_a_run_with_every_switch_on_resumes_to_the_same_bits(name, tmp_path, state):
    switches = {switch: ON[switch] for case, switch in CASES if case == name}
    changes = {"steps": 4, "checkpoint_every": 2, "log_every": 1, **switches}
    description, config = configured(name, **changes)
    if name.startswith("ladder"):
        config = dataclasses.replace(config, schedule_steps=4)
    description.train(config, tmp_path / "whole", device=CPU)
    halves: Path = tmp_path / "halves"
    schedule = {"decay_steps": 4} if name.startswith("video") else {}
    description.train(dataclasses.replace(config, steps=2, **schedule), halves, device=CPU)
    torch._dynamo.reset()
    description.resume(halves, device=CPU, steps=4)
    assert state(halves) == state(tmp_path / "whole")
    _, plain = configured(name)
    assert config.compiled and not plain.compiled
    nets = description.build(plain, CPU, None).modules
    load_newest(RunFolder(halves), nets)  # which refuses names and shapes that are not the checkpoint's


def test_channels_last_is_how_the_weights_of_both_networks_lie():
    description, config = configured("video --loss adv+gdl", channels_last=True)
    system = description.build(config, CPU, None)
    weights = [
        p for net in system.modules.values() for p in net.parameters() if p.dim() == 4 and p.shape[1] > 1
    ]
    assert weights and all(p.is_contiguous(memory_format=torch.channels_last) for p in weights)


def test_a_net_in_half_precision_computes_so_and_gives_float32():
    net, x = nn.Linear(8, 8), torch.randn(4, 8)
    with torch.autocast("cpu", torch.bfloat16):
        expected = net(x)
    assert expected.dtype == torch.bfloat16
    assert torch.equal(as_trained(net, "bfloat16")(x), expected.float())
    other = copy.deepcopy(net)
    net.weight.data.zero_()
    assert torch.equal(other(x), expected.float()), "a copy computes with its own weights"


def test_a_net_in_single_precision_is_left_as_it_is():
    net = nn.Linear(2, 2)
    assert as_trained(net, "float32") is net and "forward" not in vars(net)

"""Training ladder networks on CUDA: after three steps the whole step is one graph, and computes the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import torch

from ebgan import UserError
from ebgan.ladder import Examples, Ladder, build, preset

pytestmark = pytest.mark.needs_gpu

STEPS = 12  # of which an EBGAN's margin is above 0 in the first 6


def built(model: str, device: torch.device, **changes: object) -> Ladder:
    changes |= {"steps": STEPS, "seeds": 2}
    if model == "ebgan":
        changes |= {"margin_share": 0.5}
    return build(dataclasses.replace(preset("digits", model), **changes), device, None)


def counted(system: Ladder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the objectives as Python runs them; a replay of a graph runs none."""
    calls: list[str] = []

    def count(name: str) -> Callable[..., object]:
        function = getattr(system, name)

        def run(*arguments: object) -> object:
            calls.append(name)
            return function(*arguments)

        return run

    for name in ("objective", "discriminator_objective", "generator_objective"):
        if hasattr(system, name):
            monkeypatch.setattr(system, name, count(name))
    return calls


@pytest.mark.parametrize("model", ["bottom", "full", "gamma", "supervised", "ebgan"])
def test_the_graph_trains_as_eager_steps_do(cuda, monkeypatch, model):
    graphed, eager = built(model, cuda), built(model, cuda)
    calls = counted(graphed, monkeypatch)
    for step in range(1, STEPS + 1):
        found = {name: value.clone() for name, value in graphed.step(step).items()}
        for each in ("learn", "play"):
            if hasattr(eager, each):
                getattr(eager, each)._calls = 0
        for name, expected in eager.step(step).items():
            torch.testing.assert_close(found[name], expected, rtol=1e-4, atol=1e-5)
    once = ["discriminator_objective", "generator_objective"]
    assert calls == (4 * once + 4 * ["objective"] if model == "ebgan" else 4 * ["objective"])
    for mine, other in zip(graphed.network.parameters(), eager.network.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("model", ["bottom", "ebgan"])
def test_a_gpu_trains_as_a_cpu_does(cuda, model):
    """In float64 and without noise, whose numbers differ between devices."""
    systems = [built(model, device, lr=2**-9) for device in (torch.device("cpu"), cuda)]  # exact in float32
    codes = torch.randn(2, 100, 100, dtype=torch.float64)
    for system in systems:
        for module in system.modules.values():
            module.double()
        data, noise = system.batches.data, system.noise
        system.batches.data = Examples(data.features.double(), data.labels, data.classes, data.name)
        system.schedule = None
        noise.layers = [layer.double() for layer in noise.layers]
        noise.codes = codes[..., : noise.codes.shape[-1]].to(system.device)
        noise.draw = lambda step, **_: None
    for step in range(1, STEPS + 1):
        first, second = (system.step(step) for system in systems)
        for name, expected in first.items():
            if expected.is_floating_point():
                torch.testing.assert_close(
                    second[name].cpu(), expected, rtol=1e-6, atol=1e-8, check_dtype=False
                )


def test_the_rate_of_a_captured_step_follows_its_schedule(cuda):
    system = built("bottom", cuda)
    for step in range(1, STEPS + 1):
        system.step(step)
    before = [parameter.clone() for parameter in system.network.parameters()]
    system.step(STEPS + 1)  # beyond the schedule: the rate is 0
    assert all(map(torch.equal, before, system.network.parameters()))


def test_an_optimizer_that_no_graph_captures_is_refused(cuda):
    made = built("bottom", cuda)
    plain = torch.optim.Adam(made.network.parameters())
    with pytest.raises(UserError, match=r"network optimizer: .* capturable=True .* ebgan\.training\.adam"):
        Ladder(made.network, made.batches, made.lambdas, seeds=made.seeds, optimizer=plain)

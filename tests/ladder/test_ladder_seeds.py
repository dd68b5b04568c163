"""Networks trained side by side: each does what it would do alone."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
import torch

from ebgan.ladder import LadderGenerator, initialise, network

SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_ladder_seeds.py"
main = runpy.run_path(str(SCRIPT))["main"]
SEEDS = (3, 4, 5)


@pytest.mark.parametrize("model", ["full", "bottom", "gamma", "supervised", "ebgan"])
def test_each_network_learns_as_it_would_alone(system, model):
    beside = system(model, seeds=SEEDS)
    alone = [system(model, seeds=(seed,)) for seed in SEEDS]
    for step in range(1, 9):  # with ebgan, past the step where the generator is frozen
        found = beside.step(step)
        each = [one.step(step) for one in alone]
        assert found["class_cost"].tolist() == pytest.approx([one["class_cost"].item() for one in each])
    for name, module in beside.modules.items():
        for parameter, *single in zip(
            module.parameters(), *(one.modules[name].parameters() for one in alone), strict=True
        ):
            torch.testing.assert_close(parameter, torch.cat(single), rtol=1e-9, atol=1e-12)


def test_seeds_differ_in_start_labels_batches_and_noise(system):
    ladder = system("bottom", seeds=(0, 1))
    assert not torch.equal(*ladder.network.encoder[0].weight)
    assert not torch.equal(*ladder.batches.at(0).unlabelled)
    assert not torch.equal(*ladder.noise.draw(1)[0])
    assert set(ladder.batches.chosen[0]) != set(ladder.batches.chosen[1])


def test_noise_depends_on_seed_and_step_alone(system):
    ladder = system("bottom", seeds=(0, 1))
    first = [layer.clone() for layer in ladder.noise.draw(1)]
    second = [layer.clone() for layer in ladder.noise.draw(2)]
    again = ladder.noise.draw(1)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert not any(torch.equal(*pair) for pair in zip(first, second, strict=True))


def test_modules_that_start_together_share_no_numbers():
    generators = LadderGenerator((784, 1000, 10))
    networks = network("supervised", hidden=(1000,))
    initialise((0,), networks, generators)
    first, second = networks.encoder[0].weight.flatten(), generators.weights[0].flatten()
    assert torch.corrcoef(torch.stack((first, second)).detach())[0, 1].abs() < 0.01


def test_the_script_compares_networks_beside_others_with_networks_alone(capsys):
    arguments = ["--data", "digits", "--layers", "16-8", "--seeds", "2", "--updates", "3", "--labels", "20"]
    assert main([*arguments, "--model", "bottom"]) == 0
    printed = capsys.readouterr().out
    assert "greatest difference after 3 updates" in printed and "seed 1" in printed

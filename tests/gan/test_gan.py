from __future__ import annotations

import copy
import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ebgan.data import Batches, load
from ebgan.gan import GAN, classifier, generator
from ebgan.training import cpu_threads, seed_step


@pytest.fixture
def system():
    seed_step(0, 0)
    nets = generator("digits", layers=2, width=16), classifier("digits", width=16)
    with cpu_threads(1):
        yield GAN(nets[0], nets[1], Batches(load("digits"), 32, threads=1))


def test_the_discriminators_loss_is_the_cross_entropy_of_real_and_fake(system):
    real, fake = torch.rand(8, 1, 8, 8), torch.rand(4, 1, 8, 8)
    system.discriminator.eval()
    loss, metrics = system.discriminator_objective(real, fake)
    expected = binary_cross_entropy_with_logits(system.discriminator(real), torch.ones(8))
    expected = expected + binary_cross_entropy_with_logits(system.discriminator(fake), torch.zeros(4))
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(metrics["real_probability"], system.discriminator(real).sigmoid())


def test_an_undecided_discriminator_costs_both_players_log_two_per_image(system):
    torch.nn.init.zeros_(system.discriminator.layers[-1].weight)
    images = torch.rand(8, 1, 8, 8)
    assert system.discriminator_objective(images, images)[0].item() == pytest.approx(2 * math.log(2))
    assert system.generator_objective(images)[0].item() == pytest.approx(math.log(2))


def test_the_generators_loss_is_the_one_that_does_not_saturate(system):
    """A generator that the discriminator sees through still gets a gradient of 1 by its logit."""
    torch.nn.init.zeros_(system.discriminator.layers[-1].weight)
    torch.nn.init.constant_(system.discriminator.layers[-1].bias, -30.0)
    bias = system.discriminator.layers[-1].bias
    loss, _ = system.generator_objective(torch.rand(8, 1, 8, 8))
    assert torch.autograd.grad(loss, bias)[0].item() == pytest.approx(-1.0)


def test_a_step_moves_both_networks_and_reports_nothing_to_differentiate(system):
    before = copy.deepcopy({name: net.state_dict() for name, net in system.modules.items()})
    metrics = system.step(1)
    for name, net in system.modules.items():
        assert any(not torch.equal(value, before[name][key]) for key, value in net.state_dict().items())
    assert not any(value.requires_grad for value in metrics.values())
    assert {curve.key for plot in system.plots for curve in plot.curves} <= metrics.keys()


def test_the_discriminator_learns_to_tell_real_from_generated(system):
    fake = torch.rand(32, 1, 8, 8) * 2 - 1
    system.discriminator_optimizer.param_groups[0]["lr"] = 0.02
    for step in range(100):
        loss, metrics = system.discriminator_objective(system.batches.at(step), fake)
        system.discriminator_optimizer.zero_grad()
        loss.backward()
        system.discriminator_optimizer.step()
    assert metrics["real_probability"].mean() > 0.9 and metrics["fake_probability"].mean() < 0.1

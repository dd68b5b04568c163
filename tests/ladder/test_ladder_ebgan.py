"""EBGAN with a ladder network: energies, who learns from what, and what the margin's schedule does."""

from __future__ import annotations

import copy

import pytest
import torch
from plain_ladder import denoised, encode, loss
from torch.nn.functional import cross_entropy

from ebgan import UserError
from ebgan.ladder import LadderEBGAN, generator, network

FROZEN = 4  # the first step of the fixture's systems with a margin of 0


@pytest.fixture
def ebgan(system, moved) -> LadderEBGAN:
    found = system("ebgan", seeds=(3, 4))
    moved(found.network)
    moved(found.generator)
    return found


def energy(net, s: int, x: torch.Tensor, noise: list[torch.Tensor]):
    z, _, _, logits = encode(net, s, x, noise)
    return (x - denoised(net, s, z, logits)[0]).square().sum(1)


def test_the_ladders_loss_is_that_of_the_formula(ebgan):
    batch, noise = ebgan.batches.at(0), ebgan.noise.draw(1)
    fake = ebgan.generator(ebgan.noise.codes).detach()
    margin = ebgan.margin_now.fill_(40.0)
    found, metrics = ebgan.discriminator_objective(batch, fake, noise)
    expected, hinges = 0.0, []
    for s in range(2):
        labelled, real, generated = ([each[s, part] for each in noise] for part in range(3))
        logits = encode(ebgan.network, s, batch.labelled[s], labelled)[3]
        hinges.append((margin - energy(ebgan.network, s, fake[s], generated)).relu())
        energies = energy(ebgan.network, s, batch.unlabelled[s], real).mean() + hinges[s].mean()
        expected = expected + cross_entropy(logits, batch.labels[s]) + 1000 / 64 * energies
    torch.testing.assert_close(found, expected)
    assert 0 < torch.cat(hinges).count_nonzero() < 40, "both sides of the hinge are to be seen"
    torch.testing.assert_close(metrics["hinge"], torch.stack(hinges).detach())
    parameters = list(ebgan.network.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(found, parameters), torch.autograd.grad(expected, parameters)
    )


def test_the_generators_gradient_flows_through_reconstruction_and_target(ebgan):
    noise = [each[:, 2:].clone() for each in ebgan.noise.draw(1)]
    fake = ebgan.generator(ebgan.noise.codes)
    found = ebgan.generator_objective(fake, noise)
    expected = sum(energy(ebgan.network, s, fake[s], [each[s, 0] for each in noise]).mean() for s in range(2))
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found, fake, retain_graph=True)
    torch.testing.assert_close(gradient, *torch.autograd.grad(expected, fake))


def test_generated_examples_lie_between_0_and_1(ebgan):
    ebgan.noise.draw(1)
    fake = ebgan.generator(ebgan.noise.codes)
    assert fake.shape == (2, 20, 64) and fake.min() > 0 and fake.max() < 1
    assert not torch.equal(ebgan.noise.codes[0], ebgan.noise.codes[1])


def test_each_network_is_updated_once_by_its_own_loss(ebgan):
    taken = {}
    for name, optimizer in ebgan.optimizers.items():
        step = optimizer.step

        def remember(name=name, step=step) -> None:
            taken.setdefault(name, []).append(
                [parameter.grad.clone() for parameter in ebgan.modules[name].parameters()]
            )
            step()

        optimizer.step = remember
    ebgan.step(1)
    after = [parameter.grad for parameter in ebgan.network.parameters()]
    assert [len(each) for each in taken.values()] == [1, 1] and list(taken) == ["network", "generator"]
    torch.testing.assert_close(after, taken["network"][0], rtol=0, atol=0)


def test_the_generator_is_frozen_where_the_margin_is_0(ebgan):
    before = copy.deepcopy(ebgan.generator.state_dict())
    ebgan.step(FROZEN - 1)
    moving = copy.deepcopy(ebgan.generator.state_dict())
    assert not torch.equal(before["weights.0"], moving["weights.0"])
    ebgan.step(FROZEN)
    for name, value in ebgan.generator.state_dict().items():
        assert torch.equal(value, moving[name])


def test_the_margin_falls_at_every_step_by_its_schedule(ebgan):
    margins = [ebgan.step(step)["margin"].mean().item() for step in range(1, FROZEN + 2)]
    assert margins == pytest.approx([3.0, 2.0, 1.0, 0.0, 0.0])


def test_without_a_margin_it_is_a_plain_bottom_ladder(ebgan):
    lambdas = (1000.0, 0.0, 0.0, 0.0)
    batch, noise = ebgan.batches.at(FROZEN - 1), ebgan.noise.draw(FROZEN, noisy=2)
    expected = sum(loss(ebgan.network, s, batch, noise, lambdas) for s in range(2))
    gradients = torch.autograd.grad(expected, list(ebgan.network.parameters()))
    metrics = ebgan.step(FROZEN)
    torch.testing.assert_close([each.grad for each in ebgan.network.parameters()], list(gradients))
    torch.testing.assert_close(metrics["real_energy"] * 1000 / 64, metrics["denoising_cost"])
    assert not metrics["hinge"].any() and not metrics["margin"].any()


def test_all_that_is_plotted_is_logged_at_every_step(ebgan):
    shown = {curve.key for plot in ebgan.plots for curve in plot.curves}
    for step in (1, FROZEN):
        assert shown <= ebgan.step(step).keys()


def test_a_generator_of_other_examples_is_refused(ebgan):
    net = network("bottom", inputs=64, hidden=(8,), seeds=2)
    for fakes in (generator(outputs=784, seeds=2), generator(outputs=64, seeds=3)):
        with pytest.raises(UserError, match="needed are 2 of 64"):
            LadderEBGAN(net, fakes, ebgan.batches, lambda_0=1.0, margin=lambda step: 1.0, seeds=(3, 4))

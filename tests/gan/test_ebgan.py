from __future__ import annotations

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan.data import Batches, load
from ebgan.gan import EBGAN, discriminator, generator, sample
from ebgan.training import cpu_threads, frozen, seed_step


@pytest.fixture
def system() -> Iterator[EBGAN]:
    seed_step(0, 0)
    nets = generator("digits", layers=2, width=16), discriminator("digits", width=16)
    with cpu_threads(1):
        yield EBGAN(nets[0], nets[1], Batches(load("digits"), 32, threads=1), margin=3.0)


def generator_gradient(system: EBGAN, *, through_target: bool) -> list[Tensor]:
    """The generator's gradient at the first step, from the reference loss and the updated discriminator."""
    before = copy.deepcopy(system.generator)
    seed_step(0, 1)
    noise = system.generator.noise(32)
    seed_step(0, 1)
    system.step(1)
    fake = before(*noise)
    reconstruction, _ = copy.deepcopy(system.discriminator)(fake)
    target = fake if through_target else fake.detach()
    with ek.backend("reference"):
        loss = ek.generator_loss(reconstruction, target)
    return list(torch.autograd.grad(loss, list(before.parameters())))


def test_the_generators_gradient_flows_through_reconstruction_and_image(system):
    expected = generator_gradient(system, through_target=True)
    found = [parameter.grad for parameter in system.generator.parameters()]
    torch.testing.assert_close(found, expected)


def test_a_detached_image_would_give_another_gradient(system):
    detached = generator_gradient(system, through_target=False)
    found = [parameter.grad for parameter in system.generator.parameters()]
    assert not torch.allclose(found[0], detached[0], rtol=0.1)


def test_the_generators_step_leaves_no_gradient_in_the_discriminator(system):
    taken = []
    update = system.discriminator_optimizer.step

    def step_and_remember() -> None:
        update()
        taken.extend(parameter.grad.clone() for parameter in system.discriminator.parameters())

    system.discriminator_optimizer.step = step_and_remember
    system.step(1)
    after = [parameter.grad for parameter in system.discriminator.parameters()]
    torch.testing.assert_close(after, taken, rtol=0, atol=0)
    assert all(parameter.requires_grad for parameter in system.discriminator.parameters())


def test_frozen_thaws_only_what_it_froze():
    net = torch.nn.Linear(2, 2)
    net.bias.requires_grad_(False)
    with pytest.raises(RuntimeError), frozen(net):
        assert not net.weight.requires_grad
        raise RuntimeError
    assert net.weight.requires_grad and not net.bias.requires_grad


def test_a_step_reports_the_energies_of_each_image_and_nothing_to_differentiate(system):
    metrics = system.step(1)
    assert metrics["real_energy"].shape == metrics["fake_energy"].shape == (32,)
    assert metrics["margin"] == 3.0
    hinge = (3.0 - metrics["fake_energy"]).relu().mean()
    torch.testing.assert_close(metrics["discriminator_loss"], metrics["real_energy"].mean() + hinge)
    assert not any(value.requires_grad for value in metrics.values())


def test_the_share_of_fakes_below_the_margin_is_logged(system):
    metrics = system.step(1)
    torch.testing.assert_close(metrics["hinge_active"], metrics["fake_energy"] < 3.0)


def pulling_away_step(system: EBGAN, weight: float) -> dict[str, Tensor]:
    seed_step(0, 1)
    system.pulling_away_weight = weight
    return system.step(1)


def test_the_pulling_away_term_enters_the_generators_loss_alone(system):
    plain, weighted = pulling_away_step(copy.deepcopy(system), 0.0), pulling_away_step(system, 0.5)
    assert "pulling_away" not in plain and 0 < weighted["pulling_away"] <= 1
    torch.testing.assert_close(weighted["discriminator_loss"], plain["discriminator_loss"], rtol=0, atol=0)
    gap = weighted["generator_loss"] - plain["generator_loss"]
    torch.testing.assert_close(gap, 0.5 * weighted["pulling_away"], rtol=1e-3, atol=1e-5)


def test_a_heavy_pulling_away_term_pulls_the_codes_of_generated_images_apart(system):
    similarities = {}
    for weight in (1e-6, 20.0):
        trained = copy.deepcopy(system)
        terms = []
        for step in range(1, 101):
            seed_step(0, step)
            trained.pulling_away_weight = weight
            terms.append(trained.step(step)["pulling_away"].item())
        similarities[weight] = sum(terms[50:])
    assert similarities[20.0] < 0.8 * similarities[1e-6]


def test_the_discriminator_learns_to_reconstruct_real_images(system):
    energies = [system.step(step)["real_energy"].mean() for step in range(1, 151)]
    assert energies[-1] < 0.8 * energies[0]


def test_half_precision_leaves_losses_in_single(system):
    system.precision = "bfloat16"
    metrics = system.step(1)
    assert {value.dtype for name, value in metrics.items() if name != "hinge_active"} == {torch.float32}
    assert all(torch.isfinite(value).all() for value in metrics.values())


def test_samples_repeat_and_leave_the_generator_as_it_was(system):
    before = copy.deepcopy(system.generator.state_dict())
    assert torch.equal(sample(system.generator, 4, seed=2), sample(system.generator, 4, seed=2))
    assert not torch.equal(sample(system.generator, 4, seed=2), sample(system.generator, 4, seed=3))
    assert system.generator.training
    torch.testing.assert_close(system.generator.state_dict(), before, rtol=0, atol=0)

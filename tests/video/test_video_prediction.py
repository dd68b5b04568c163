"""The system: which clips each network sees, and which gradients reach it."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.optim import Adam

from ebgan import UserError
from ebgan.training import cpu_threads
from ebgan.video import LOSSES, Terms, VideoPrediction, strips


@pytest.fixture(autouse=True)
def _one_thread():
    with cpu_threads(1):
        yield


def split(system: VideoPrediction, number: int) -> tuple[list[Tensor], list[Tensor]]:
    scales = system.batches.at(number)
    return [scale[:, :4] for scale in scales], [scale[:, 4:] for scale in scales]


def gradients(system: VideoPrediction) -> list[Tensor]:
    """The generator's, of its objective on the clips of batch 1."""
    loss, _ = system.generator_objective(*split(system, 1))
    return list(torch.autograd.grad(loss, list(system.generator.parameters())))


def with_terms(system: VideoPrediction, **changes: float) -> VideoPrediction:
    system.terms = dataclasses.replace(system.terms, **changes)
    return system


@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss_is_the_weighted_sum_of_its_terms_over_four_scales(system, loss):
    built, terms = system(loss), LOSSES[loss]
    frames, targets = split(built, 1)
    total, metrics = built.generator_objective(frames, targets)
    predictions = built.generator(frames)

    lp = gdl = 0.0
    for prediction, target in zip(predictions, targets, strict=True):
        lp += (prediction - target).abs().pow(terms.p).mean()
        for axis in (-2, -1):
            steps = prediction.diff(dim=axis).abs() - target.diff(dim=axis).abs()
            gdl += steps.abs().mean()
    expected = terms.lp_weight * lp + terms.gdl_weight * gdl
    if terms.adversarial_weight:
        logits = built.discriminator(frames, predictions)
        adversarial = sum(binary_cross_entropy_with_logits(scale, torch.ones(2)) for scale in logits.T)
        torch.testing.assert_close(metrics["adversarial"], adversarial.detach())
        expected = expected + terms.adversarial_weight * adversarial
    torch.testing.assert_close(total, expected)
    torch.testing.assert_close(metrics["lp"], lp.detach())
    if terms.gdl_weight:
        torch.testing.assert_close(metrics["gdl"], gdl.detach())
    weighted = {"lp": terms.lp_weight, "gdl": terms.gdl_weight, "adversarial": terms.adversarial_weight}
    assert metrics.keys() == {name for name, weight in weighted.items() if weight}


@pytest.mark.parametrize("weight", ["lp_weight", "gdl_weight", "adversarial_weight"])
def test_twice_the_weight_is_twice_the_gradient_of_its_term(system, weight):
    alone = Terms(**{"lp_weight": 0.0, "gdl_weight": 0.0, "adversarial_weight": 0.0} | {weight: 0.5})
    once, twice = gradients(system(alone)), gradients(with_terms(system(alone), **{weight: 1.0}))
    assert max(gradient.abs().max() for gradient in once) > 0
    torch.testing.assert_close(twice, [2 * gradient for gradient in once])


@pytest.mark.parametrize("weight", ["lp_weight", "gdl_weight", "adversarial_weight"])
def test_weights_add_their_own_terms_gradient_beside_the_others(system, weight):
    alone = Terms(**{"lp_weight": 0.0, "gdl_weight": 0.0, "adversarial_weight": 0.0} | {weight: 2.0})
    more = getattr(LOSSES["adv+gdl"], weight) + 2.0
    both = gradients(with_terms(system("adv+gdl"), **{weight: more}))
    parts = zip(gradients(system("adv+gdl")), gradients(system(alone)), strict=True)
    torch.testing.assert_close(both, [one + other for one, other in parts], rtol=1e-4, atol=1e-6)


def test_the_adversarial_gradient_reaches_the_generator_through_every_discriminator(system):
    built = system(Terms(lp_weight=0.0, adversarial_weight=0.05))
    frames, _ = split(built, 1)
    predictions = built.generator(frames)
    # By hand: d softplus(-logit) / d logit = sigmoid(logit) - 1, each scale a mean over the batch of 2.
    logits = built.discriminator(frames, predictions)
    by_hand = 0.05 * (logits.sigmoid() - 1) / 2
    parameters = list(built.generator.parameters())
    expected = torch.autograd.grad(logits, parameters, grad_outputs=by_hand.detach())
    torch.testing.assert_close(gradients(built), list(expected))
    assert all(gradient.abs().max() > 0 for gradient in expected)


def test_no_objective_takes_gradients_of_the_other_network(system):
    built = system("adv+gdl")
    generator, discriminator = (list(net.parameters()) for net in built.modules.values())
    loss, _ = built.discriminator_objective(*split(built, 0))
    assert not any(torch.is_tensor(each) for each in torch.autograd.grad(loss, generator, allow_unused=True))
    loss, _ = built.generator_objective(*split(built, 1))
    assert not any(
        torch.is_tensor(each) for each in torch.autograd.grad(loss, discriminator, allow_unused=True)
    )


def test_each_network_is_updated_on_a_fresh_batch_of_its_own(system):
    built = system("adv+gdl")
    for step in (1, 2, 3):
        built.step(step)
    assert built.batches.asked == [0, 1, 2, 3, 4, 5]


def test_the_generator_sees_the_same_batches_under_every_loss(system):
    built = system("l1")
    for step in (1, 2, 3):
        built.step(step)
    assert built.batches.asked == [1, 3, 5]


def test_a_step_of_the_discriminator_takes_the_generator_as_it_was(system):
    built = system("adv")
    frames, targets = split(built, 0)
    before = copy.deepcopy(built)
    metrics = built.step(1)
    with torch.no_grad():
        predictions = before.generator(frames)
    logits = before.discriminator(frames, targets), before.discriminator(frames, predictions)
    losses = [
        binary_cross_entropy_with_logits(scale, torch.full((2,), label))
        for label, scales in zip((1.0, 0.0), logits, strict=True)
        for scale in scales.T
    ]
    torch.testing.assert_close(metrics["discriminator_loss"], sum(losses).detach())
    gradient = torch.autograd.grad(sum(losses), list(before.discriminator.parameters()))
    for now, then, step in zip(
        built.discriminator.parameters(), before.discriminator.parameters(), gradient, strict=True
    ):
        torch.testing.assert_close(now, then - 0.02 * step)
    assert metrics["real_accuracy"].tolist() == (logits[0] > 0).tolist()
    assert metrics["fake_accuracy"].tolist() == (logits[1] < 0).tolist()


def test_a_step_of_the_generator_follows_the_schedule_and_spares_the_discriminator(system):
    built = system("adv+gdl", schedule=lambda step: 0.5 / step)
    built.optimizers["discriminator"].param_groups[0]["lr"] = 0.0
    before, gradient = copy.deepcopy(built.modules), gradients(built)
    built.step(1)
    for now, then, step in zip(
        built.generator.parameters(), before["generator"].parameters(), gradient, strict=True
    ):
        torch.testing.assert_close(now, then - 0.5 * step)
    state = before["discriminator"].state_dict()
    torch.testing.assert_close(built.discriminator.state_dict(), state, rtol=0, atol=0)
    assert all(parameter.requires_grad for parameter in built.discriminator.parameters())
    built.step(5)
    assert built.optimizers["generator"].param_groups[0]["lr"] == 0.1


def test_metrics_hold_nothing_to_differentiate_and_every_curve(system):
    built = system("adv+gdl")
    metrics = built.step(1)
    assert not any(value.requires_grad for value in metrics.values())
    assert {curve.key for plot in built.plots for curve in plot.curves} <= metrics.keys()
    assert metrics["real_accuracy"].shape == metrics["fake_accuracy"].shape == (2, 4)


def test_learning_lowers_the_loss(system):
    built = system("gdl")
    built.optimizers["generator"] = Adam(built.generator.parameters(), lr=5e-3)
    losses = [built.step(step)["generator_loss"].item() for step in range(1, 41)]
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_half_precision_leaves_losses_in_single(system):
    built = system("adv+gdl", precision="bfloat16")
    metrics = built.step(1)
    assert {metrics[name].dtype for name in ("lp", "gdl", "adversarial", "generator_loss")} == {torch.float32}
    assert all(torch.isfinite(value).all() for value in metrics.values())
    assert built.pictures()["predictions"].dtype == np.uint8


def test_an_adversarial_weight_and_a_discriminator_go_together(system):
    with pytest.raises(UserError, match=r"discriminator: got none with an adversarial_weight of 0\.05"):
        system("adv", discriminator=None)
    with pytest.raises(UserError, match=r"discriminator: got one with an adversarial_weight of 0\.0"):
        system("l1", discriminator=system("adv").discriminator)


def test_pictures_are_always_of_the_same_clips_and_change_nothing(system):
    built = system("l1")
    before = copy.deepcopy(built.generator.state_dict())
    first, second = built.pictures()["predictions"], built.pictures()["predictions"]
    np.testing.assert_array_equal(first, second)
    torch.testing.assert_close(built.generator.state_dict(), before, rtol=0, atol=0)


def test_a_strip_holds_the_film_the_prediction_under_it_and_their_difference():
    frames, targets = torch.full((1, 2, 3, 64, 64), -1.0), torch.full((1, 1, 3, 64, 64), 0.5)
    picture = strips(frames, targets, torch.full((1, 1, 3, 64, 64), -0.5))
    cells_alone = picture[-(3 * 72 + 8) :, -(3 * 72 + 8) :, 0]  # names stand above and to the left
    cells = [[cells_alone[8 + 72 * row + 32, 8 + 72 * column + 4] for column in range(3)] for row in range(3)]
    grey, film, predicted, apart = 96, [0, 0, 191], 64, 128
    assert cells[0] == film
    assert [row[2] for row in cells[1:]] == [predicted, apart]
    assert [row[0] for row in cells[1:]] == [grey, grey]

"""The five losses, their weights, and the learning rate's decay."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from ebgan import UserError
from ebgan.video import LOSSES, GeometricDecay, Terms, adversarial_loss


def test_the_losses_have_the_papers_weights():
    weights = {
        name: (terms.p, terms.alpha, terms.lp_weight, terms.gdl_weight, terms.adversarial_weight)
        for name, terms in LOSSES.items()
    }
    assert weights == {
        "l2": (2, 1, 1, 0, 0),
        "l1": (1, 1, 1, 0, 0),
        "gdl": (1, 1, 1, 1, 0),
        "adv": (2, 1, 1, 0, 0.05),
        "adv+gdl": (1, 1, 1, 1, 0.05),
    }


@pytest.mark.parametrize("real", [True, False])
def test_the_adversarial_loss_is_a_mean_over_clips_and_a_sum_over_scales(real):
    logits = torch.randn(5, 4, dtype=torch.float64)
    sign = -1 if real else 1
    expected = sum(
        sum(math.log1p(math.exp(sign * logit)) for logit in scale) / 5 for scale in logits.T.tolist()
    )
    assert adversarial_loss(logits, real=real).item() == pytest.approx(expected)


def test_sure_logits_cost_neither_infinity_nor_nan():
    logits = torch.tensor([[1e4, -1e4]], requires_grad=True)
    loss = adversarial_loss(logits, real=True)
    assert loss.item() == 1e4
    assert torch.autograd.grad(loss, logits)[0].tolist() == [[0.0, -1.0]]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"p": 3}, "p: got 3, allowed are 1, 2"),
        ({"alpha": 0.5}, "alpha: got 0.5, allowed are finite numbers from 1 up"),
        ({"lp_weight": -1.0}, "lp_weight: got -1.0"),
        ({"gdl_weight": math.nan}, "gdl_weight: got nan"),
        ({"adversarial_weight": math.inf}, "adversarial_weight: got inf"),
        ({"lp_weight": 0.0}, "lp_weight, gdl_weight, adversarial_weight are all 0"),
    ],
)
def test_wrong_terms_are_named(changes: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message):
        Terms(**changes)


def test_the_learning_rate_decays_by_one_factor_a_step_and_then_stays():
    rates = [GeometricDecay(0.04, 0.005, 100)(step) for step in range(1, 121)]
    assert rates[0] == 0.04 and rates[99:] == [0.005] * 21
    factors = [after / before for before, after in pairwise(rates[:100])]
    assert factors == pytest.approx([(1 / 8) ** (1 / 99)] * 99)


def test_a_decay_of_one_step_is_the_final_rate():
    assert GeometricDecay(0.04, 0.005, 1)(1) == 0.005

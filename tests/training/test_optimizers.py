"""Optimisers by name, their rates, and the rates that are refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from ebgan import UserError
from ebgan.training import adam, check_rates, make_optimizer, set_rate, update


@pytest.mark.parametrize(("name", "kind"), [("adam", Adam), ("sgd", SGD)])
def test_an_optimiser_has_the_rate_it_is_made_with_and_sgd_no_momentum(name, kind):
    optimizer = make_optimizer(name, nn.Linear(2, 1), 0.25, beta1=0.7)
    (group,) = optimizer.param_groups
    assert type(optimizer) is kind and group["lr"] == 0.25
    assert group.get("betas", (0.7, 0.999)) == (0.7, 0.999) and group.get("momentum", 0) == 0


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_cannot_train_is_refused_by_its_name(rate):
    with pytest.raises(UserError, match="generator_lr: got"):
        check_rates(discriminator_lr=0.1, generator_lr=rate, beta1=0.5)


@pytest.mark.parametrize("beta1", [-0.1, 1.0, float("nan")])
def test_a_decay_rate_outside_0_to_1_is_refused(beta1):
    with pytest.raises(UserError, match=r"beta1: got .*, allowed are numbers from 0 to below 1"):
        check_rates(lr=0.1, beta1=beta1)


def test_adams_first_step_is_its_rate_down_the_sign_of_the_gradient():
    net = nn.Linear(2, 1, bias=False)
    before = net.weight.detach().clone()
    update(adam(net, 0.25), (net.weight * torch.tensor([[3.0, -5.0]])).sum())
    assert (net.weight - before).tolist() == [[pytest.approx(-0.25), pytest.approx(0.25)]]


@pytest.mark.parametrize("rate", [0.5, torch.tensor(0.5)])
def test_a_rate_is_set_where_it_is(rate):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=rate)
    set_rate(optimizer, 0.125)
    (group,) = optimizer.param_groups
    assert group["lr"] == 0.125
    assert group["lr"] is rate if isinstance(rate, torch.Tensor) else isinstance(group["lr"], float)

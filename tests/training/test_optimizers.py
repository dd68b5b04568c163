"""Optimisers by name, their rates, and the rates that are refused."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam

from ebgan import UserError
from ebgan.systems import SYSTEMS
from ebgan.training import adam, check_rates, checkpoint, make_optimizer, set_rate, update


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


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_system_that_learns_by_adam_has_the_fused_one(system):
    options = {"optimizer": "adam"} if "optimizer" in {f.name for f in fields(system.config)} else {}
    built = system.build(system.configure(**options), torch.device("cpu"), None)
    for optimizer in built.optimizers.values():
        assert isinstance(optimizer, Adam) and optimizer.defaults["fused"] is True


def test_the_fused_adam_takes_the_steps_of_the_plain_one():
    nets = [nn.Linear(5, 3) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    fused = adam(nets[0], 0.01, beta1=0.5)
    plain = Adam(nets[1].parameters(), lr=0.01, betas=(0.5, 0.999), fused=False, foreach=False)
    for _ in range(20):
        x = torch.randn(8, 5)
        for net, optimizer in zip(nets, (fused, plain), strict=True):
            update(optimizer, net(x).square().mean())
    torch.testing.assert_close(nets[0].state_dict(), nets[1].state_dict(), rtol=1e-5, atol=1e-6)


def test_a_run_of_the_plain_adam_goes_on_as_it_was_under_the_fused_one(tmp_path):
    net = nn.Linear(4, 2)
    plain = Adam(net.parameters(), lr=0.01, betas=(0.5, 0.999))
    update(plain, net(torch.ones(3, 4)).square().mean())
    checkpoint.save(tmp_path, checkpoint.Progress(1, 0.0), {"net": net}, {"net": plain})
    other = nn.Linear(4, 2)
    fused = adam(other, 0.5)
    checkpoint.load(tmp_path / "step-00000001", {"net": other}, {"net": fused})
    for each, optimizer in ((net, plain), (other, fused)):
        update(optimizer, each(torch.ones(3, 4)).square().mean())
    torch.testing.assert_close(net.state_dict(), other.state_dict(), rtol=0, atol=0)

from __future__ import annotations

import pytest
import torch
from torch import nn

from ebgan import UserError
from ebgan.training import GraphedStep, adam, require_capturable, set_rate, update


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


def test_on_a_cpu_every_call_is_the_step_itself():
    calls = []
    step = GraphedStep(lambda x: calls.append(x) or {"x": x}, torch.device("cpu"))
    given = [torch.zeros(2) for _ in range(5)]
    assert all(step(x)["x"] is x for x in given) and len(calls) == 5


@pytest.mark.parametrize("options", [{}, {"capturable": True}, {"lr": torch.tensor(0.1)}])
def test_an_optimizer_whose_step_no_graph_can_capture_is_refused(options):
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters(), **options)
    with pytest.raises(UserError, match=r"discriminator optimizer: .* capturable=True and lr as a tensor"):
        require_capturable("discriminator optimizer", optimizer)
    capturable = torch.optim.Adam(net.parameters(), lr=torch.tensor(0.1), capturable=True)
    require_capturable("discriminator optimizer", capturable)

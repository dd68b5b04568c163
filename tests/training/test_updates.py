from __future__ import annotations

import pytest
import torch
from torch import nn

from ebgan import UserError
from ebgan.training import GraphedStep, require_capturable


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

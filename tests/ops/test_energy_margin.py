"""The margin of the modules: a float32 buffer that a schedule fills or sets, and a checkpoint keeps."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounter
from torch._subclasses import FakeTensorMode

import ebgan_kernels as ek

MODULES = pytest.mark.parametrize("module", [ek.HingeMarginLoss, ek.EBGANDiscriminatorLoss])


@MODULES
def test_a_checkpoint_keeps_the_margin(module: type[nn.Module]) -> None:
    scheduled = module(margin=10.0)
    scheduled.margin.fill_(2.5)
    restored = module(margin=10.0)
    restored.load_state_dict(scheduled.state_dict())
    assert restored.margin.item() == 2.5
    assert list(restored.state_dict()) == ["margin"] and not list(restored.parameters())
    copied = copy.deepcopy(pickle.loads(pickle.dumps(restored)))
    copied.margin = 4.0
    assert (copied.margin.item(), restored.margin.item()) == (4.0, 2.5)


def set_margin(loss: ek.HingeMarginLoss, margin: float | Tensor) -> None:
    loss.margin = margin


@pytest.mark.parametrize("schedule", [lambda loss, m: loss.margin.fill_(m), set_margin])
def test_a_schedule_changes_the_loss(schedule: Callable[[ek.HingeMarginLoss, float], object]) -> None:
    loss, zero = ek.HingeMarginLoss(margin=10.0), torch.zeros(1)
    before, buffer = loss(zero, zero), loss.margin
    schedule(loss, 4)
    assert (before.item(), loss(zero, zero).item()) == (10.0, 4.0)
    assert loss.margin is buffer, "a CUDA graph reads the buffer where it was"


def test_a_margin_that_is_assigned_does_not_recompile() -> None:
    loss, zero = ek.HingeMarginLoss(margin=10.0), torch.zeros(1)
    counter = CompileCounter()
    compiled = torch.compile(loss, backend=counter, fullgraph=True)
    values = []
    for margin in (10.0, 7, np.float32(2.5)):
        loss.margin = margin
        values.append(compiled(zero, zero).item())
    assert values == [10.0, 7.0, 2.5] and counter.frame_count == 1


def test_a_tensor_that_is_assigned_takes_the_place_of_the_margin_in_float32() -> None:
    loss, margin = ek.HingeMarginLoss(margin=10.0), torch.tensor(3.0)
    loss.margin = margin
    assert loss.margin is margin and list(loss.state_dict()) == ["margin"]
    loss.margin = torch.tensor(3, dtype=torch.bfloat16)
    assert loss.margin.dtype is torch.float32 and loss.margin.item() == 3


CONVERSIONS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "bfloat16": lambda module: module.bfloat16(),
    "half": lambda module: module.half(),
    "double": lambda module: module.double(),
    "to a dtype": lambda module: module.to(torch.float16),
    "to the dtype of a tensor": lambda module: module.to(torch.zeros(1, dtype=torch.bfloat16)),
    "inside another module": lambda module: nn.Sequential(module).half()[0],
    "there and back": lambda module: module.half().float(),
}


@pytest.mark.parametrize("conversion", CONVERSIONS)
@MODULES
def test_the_margin_stays_float32_in_a_module_of_any_dtype(module: type[nn.Module], conversion: str) -> None:
    loss = module(margin=10.1)
    before = loss.margin
    converted = CONVERSIONS[conversion](loss)
    assert converted is loss and loss.margin is before
    assert loss.margin.dtype is torch.float32 and torch.equal(loss.margin, torch.tensor(10.1))
    assert "margin=10.1" in repr(loss) and loss.to("meta", torch.float16).margin.is_meta


@MODULES
def test_the_margin_is_float32_whatever_the_default_dtype(module: type[nn.Module]) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        assert module(margin=10.1).margin.dtype is torch.float32
    finally:
        torch.set_default_dtype(torch.float32)


@MODULES
def test_a_margin_without_a_value_can_be_shown_and_loaded(module: type[nn.Module]) -> None:
    with FakeTensorMode():
        assert "margin=<no value>" in repr(module(margin=10.1))
    with torch.device("meta"):
        empty = module(margin=10.1)
    assert "margin=<no value>" in repr(empty)
    empty.load_state_dict(module(margin=3.0).state_dict(), assign=True)
    assert empty.margin.item() == 3.0 and "margin=3" in repr(empty)

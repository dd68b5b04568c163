"""First and second derivatives against finite differences, in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import ebgan_kernels as ek
from support.implementations import device_of, interpreted
from support.losses import CASES, Case, images


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_equal_finite_differences(
    case: Case, check: Callable[..., bool], implementation: ek.Backend
) -> None:
    batch = images(sample=(2, 3), dtypes=(torch.float64,) * 2, device=device_of(implementation))
    margin = case.margin(batch)
    assert check(
        lambda *inputs: case(inputs, margin), case.inputs(batch), fast_mode=interpreted(implementation)
    )


@pytest.mark.parametrize("needed", range(4))
def test_a_gradient_is_the_same_whichever_others_are_asked_for(
    needed: int, implementation: ek.Backend
) -> None:
    case, batch = Case("discriminator_loss"), images(device=device_of(implementation))
    margin = case.margin(batch)
    inputs = case.inputs(batch)
    of_all = torch.autograd.grad(case(inputs, margin), inputs)
    alone = [x.detach().requires_grad_(i == needed) for i, x in enumerate(inputs)]
    case(alone, margin).backward()
    for i, x in enumerate(alone):
        assert torch.equal(x.grad, of_all[i]) if i == needed else x.grad is None


def test_losses_of_constants_need_no_backward(implementation: ek.Backend) -> None:
    batch = images(device=device_of(implementation))
    case = Case("discriminator_loss")
    assert not case(batch, case.margin(batch)).requires_grad

"""The same as PyTorch at the edges: empty batches, NaN, Inf, ties."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.gdl import CASES, FUNCTIONS, Case, torch_value_and_gradients, value_and_gradients
from support.implementations import device_of


def assert_same_as_torch(case: Case, inputs: list[Tensor]) -> None:
    value, gradients = value_and_gradients(case, inputs)
    torch_value, torch_gradients = torch_value_and_gradients(case, inputs, torch.float32)
    torch.testing.assert_close(
        [value, *gradients], [torch_value, *torch_gradients], equal_nan=True, rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("leading", [(0, 3), (2, 0)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_empty_batch_and_samples_without_elements(
    case: Case, leading: tuple[int, int], implementation: ek.Backend
) -> None:
    assert_same_as_torch(case, case.inputs(leading=leading, device=device_of(implementation)))


@pytest.mark.few_in_interpreter(
    case=[*FUNCTIONS, Case(p=2, alpha=1.5), Case(p=2, spatial_dims=3, reduction="none")]
)
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_nan_and_infinity_go_where_they_go_in_pytorch(
    case: Case, odd: float, implementation: ek.Backend
) -> None:
    # In a corner, on an edge, inside; in a prediction, in the target, and in both.
    for place in ((0, 0), (-1, 4), (1, 2)):
        for which in ((0,), (-1,), (-2, -1)):
            inputs = case.inputs(device=device_of(implementation))
            with torch.no_grad():
                for index in which:
                    inputs[index].flatten(0, -3)[(1, *place)] = odd
            assert_same_as_torch(case, inputs)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_prediction_that_equals_its_target_has_a_zero_gradient(
    case: Case, implementation: ek.Backend
) -> None:
    inputs = case.inputs(device=device_of(implementation))
    constant = [torch.full_like(x, 0.5).requires_grad_() for x in inputs]
    value, gradients = value_and_gradients(case, constant)
    assert not value.any() and not any(gradient.any() for gradient in gradients)
    if case.name != "multiscale_prediction_loss":
        value, gradients = value_and_gradients(case, [inputs[0], inputs[0].detach().clone().requires_grad_()])
        assert not value.any() and not any(gradient.any() for gradient in gradients)


def test_steps_of_one_size_and_other_sign_are_a_tie(implementation: ek.Backend) -> None:
    up = torch.arange(12.0, device=device_of(implementation)).reshape(3, 4).requires_grad_()
    for alpha in (1.0, 2.0, 1.5):
        loss = ek.gradient_difference_loss(up, -up.detach() + 5, alpha=alpha)
        (gradient,) = torch.autograd.grad(loss, up)
        assert loss == 0 and not gradient.any()


def test_a_flat_prediction_gets_no_gradient_from_the_step_that_it_misses(implementation: ek.Backend) -> None:
    # sign(0) = 0: of |d prediction| at 0 the subgradient 0 is taken, in whichever direction the target steps.
    flat = torch.zeros(3, 4, device=device_of(implementation), requires_grad=True)
    target = torch.arange(12.0, device=flat.device).reshape(3, 4)
    (gradient,) = torch.autograd.grad(ek.gradient_difference_loss(flat, target), flat)
    assert not gradient.any()


def test_an_infinite_incoming_gradient_does_what_it_does_in_pytorch(implementation: ek.Backend) -> None:
    for case in FUNCTIONS:
        inputs = case.inputs(device=device_of(implementation))
        loss = case(inputs)
        found = torch.autograd.grad(loss, inputs, torch.full_like(loss, math.inf))
        with ek.backend("reference"):
            loss = case(inputs)
            expected = torch.autograd.grad(loss, inputs, torch.full_like(loss, math.inf))
        for ours, torchs in zip(found, expected, strict=True):
            assert torch.equal(ours.isfinite(), torchs.isfinite())


@pytest.mark.parametrize("levels", [2, 3])
def test_averages_of_nan_infinity_and_an_empty_batch(levels: int, implementation: ek.Backend) -> None:
    x = torch.randn(2, 3, 8, 8, device=device_of(implementation))
    x[0, 0, 3, 3], x[1, 2, 0, 7] = math.nan, math.inf
    ours = ek.average_pyramid(x, levels)
    with ek.backend("reference"):
        torchs = ek.average_pyramid(x, levels)
    torch.testing.assert_close(ours, torchs, equal_nan=True)
    assert [level.shape for level in ek.average_pyramid(x[:0], 2)] == [(0, 3, 4, 4), (0, 3, 8, 8)]

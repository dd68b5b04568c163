"""The same as PyTorch at the edges: no samples, one sample, NaN, Inf, a deviation of zero."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.implementations import device_of
from support.ladder import (
    CASES,
    COMBINATOR,
    COST,
    FUNCTIONS,
    Case,
    torch_value_and_gradients,
    value_and_gradients,
)


def assert_same_as_torch(case: Case, inputs: list[Tensor]) -> None:
    value, gradients = value_and_gradients(case, inputs)
    torch_value, torch_gradients = torch_value_and_gradients(case, inputs, torch.float32)
    torch.testing.assert_close(
        [value, *gradients], [torch_value, *torch_gradients], equal_nan=True, rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("name", [COST, COMBINATOR])
@pytest.mark.parametrize(
    ("leading", "rows", "units"),
    [((), 0, 5), ((2,), 0, 5), ((0,), 3, 5), ((2, 0), 3, 5), ((), 1, 5)],
    ids=str,
)
def test_no_samples_no_networks_and_one_sample(
    name: str, leading: tuple[int, ...], rows: int, units: int, implementation: ek.Backend
) -> None:
    case = Case(name, leading)
    assert_same_as_torch(case, case.inputs(rows=rows, units=units, device=device_of(implementation)))


@pytest.mark.parametrize("rows", [0, 3])
def test_no_units(rows: int, implementation: ek.Backend) -> None:
    for case in FUNCTIONS:
        assert_same_as_torch(case, case.inputs(rows=rows, units=0, device=device_of(implementation)))


@pytest.mark.few_in_interpreter(case=[Case(COST), Case(COMBINATOR, (3,))])
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_nan_and_infinity_go_where_they_go_in_pytorch(
    case: Case, odd: float, implementation: ek.Backend
) -> None:
    for which in range(len(case.inputs())):
        # 20 units are a vector and what is left of one: the odd value in each.
        for unit in (3, 18):
            inputs = case.inputs(units=20, device=device_of(implementation))
            with torch.no_grad():
                inputs[which].view(-1, 20)[0, unit] = odd
            assert_same_as_torch(case, inputs)


def test_an_odd_parameter_of_one_unit_spoils_no_other(implementation: ek.Backend) -> None:
    case = Case(COST, (2,))
    for parameter in range(10):
        inputs = case.inputs(units=20, device=device_of(implementation))
        with torch.no_grad():
            inputs[3][0, parameter, 7] = math.nan
        value, gradients = value_and_gradients(case, inputs)
        assert value.isnan().tolist() == [True, False]
        for gradient in gradients:
            spoilt = gradient.isnan().reshape(2, -1, 20).any(1)
            assert spoilt.sum() == 1 and spoilt[0, 7]


@pytest.mark.parametrize("std", [0.0, -0.5, math.inf])
def test_a_deviation_that_is_none(std: float, implementation: ek.Backend) -> None:
    inputs = Case().inputs(device=device_of(implementation))
    with torch.no_grad():
        inputs[-1][4] = std
    assert_same_as_torch(Case(), inputs)


def test_a_unit_without_variance_that_is_guessed_right_is_0_over_0(implementation: ek.Backend) -> None:
    inputs = Case().inputs(device=device_of(implementation))
    with torch.no_grad():
        inputs[3].zero_()
        inputs[4][2] = inputs[5][2] = 0
    assert Case()(inputs).isnan()


def test_an_infinite_incoming_gradient_does_what_it_does_in_pytorch(implementation: ek.Backend) -> None:
    for case in CASES:
        inputs = case.inputs(device=device_of(implementation))
        result = case(inputs)
        found = torch.autograd.grad(result, inputs, torch.full_like(result, math.inf))
        with ek.backend("reference"):
            result = case(inputs)
            expected = torch.autograd.grad(result, inputs, torch.full_like(result, math.inf))
        for ours, torchs in zip(found, expected, strict=True):
            assert torch.equal(ours.isfinite(), torchs.isfinite())

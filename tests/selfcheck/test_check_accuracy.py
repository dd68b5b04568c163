"""The accuracy rule: what passes it and what does not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ebgan_kernels.selfcheck.accuracy import error_in_ulp, judge, ulp

SINGLE, DOUBLE, BRAIN = torch.float32, torch.float64, torch.bfloat16
EXACT = torch.linspace(1, 1.9, 100, dtype=DOUBLE).float().double()


def away(units: float, exact: Tensor = EXACT, dtype: torch.dtype = SINGLE) -> list[Tensor]:
    """Of one seed: so many units in the last place above an exact result."""
    return [(exact + units * torch.finfo(dtype).eps).to(dtype)]


@pytest.mark.parametrize(
    ("value", "expected"), [(1.0, 1.0), (1.99, 1.0), (2.0, 2.0), (-0.75, 0.5), (0.0, 2**-126)]
)
def test_a_unit_in_the_last_place_is_the_spacing_of_numbers(value: float, expected: float) -> None:
    assert ulp(torch.tensor(value, dtype=DOUBLE), SINGLE).item() == expected * 2**-23


@pytest.mark.parametrize(
    ("ours", "reference", "passed"), [(1, 0, True), (2, 0, False), (6, 3, True), (7, 3, False)]
)
def test_twice_the_references_error_passes_and_one_unit(ours: int, reference: int, passed: bool) -> None:
    verdict = judge(away(ours), away(reference), [EXACT])
    assert verdict.passed == passed
    assert (verdict.error, verdict.reference_error) == (ours, reference)


def test_seeds_count_together() -> None:
    verdict = judge([*away(2), *away(0)], [*away(1), *away(1)], [EXACT, EXACT])
    assert verdict.error == pytest.approx(math.sqrt(2)) and verdict.passed


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_not_finite_does_not_pass_whatever_the_reference_has(wrong: float) -> None:
    broken = away(0)[0].index_fill(0, torch.tensor([3]), wrong)
    for reference in (away(0), [broken] if math.isnan(wrong) else away(5)):
        verdict = judge([broken], reference, [EXACT])
        assert not verdict.passed
        assert verdict.severity == math.inf


def test_half_types_are_judged_by_their_worst_element() -> None:
    exact = torch.linspace(1, 1.9, 1000, dtype=DOUBLE).to(BRAIN).double()
    one_wrong = away(0, exact, BRAIN)[0].clone()
    one_wrong[500] *= 1 + 2 * torch.finfo(BRAIN).eps
    assert not judge([one_wrong], away(0, exact, BRAIN), [exact]).passed
    assert (
        judge([one_wrong.float()], [exact.float()], [exact]).error > 1
    )  # it is worse still in float32's units
    assert judge(away(1, exact, BRAIN), away(0, exact, BRAIN), [exact]).passed


def test_what_is_left_of_terms_that_cancel_is_measured_in_the_unit_of_larger_elements() -> None:
    exact = torch.tensor([1.0, 2.0**-10], dtype=DOUBLE)
    value = (exact + torch.tensor([0, 2.0**-26], dtype=DOUBLE)).float()
    assert error_in_ulp(value, exact)[1] == 2**7
    assert error_in_ulp(value, exact, cancelling=1.0)[1] == 2**-3
    assert error_in_ulp(value, exact, cancelling=0.1)[1] == 2  # 0.1 lies between 2^-4 and 2^-3


def test_few_numbers_are_granted_more_and_many_are_not() -> None:
    few = EXACT[:3]
    assert judge(away(3, few), away(0, few), [few]).passed
    assert not judge(away(4, few), away(0, few), [few]).passed
    assert not judge(away(2), away(0), [EXACT]).passed


def test_in_float64_another_order_of_a_sum_passes_and_an_error_of_float32_does_not() -> None:
    assert judge(away(50, dtype=DOUBLE), away(0, dtype=DOUBLE), [EXACT]).passed
    assert not judge([away(1)[0].double()], away(0, dtype=DOUBLE), [EXACT]).passed

"""A case on an implementation: what passes, and that every planted fault is found and told in one line."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ebgan_kernels.backends import Backend
from ebgan_kernels.selfcheck import run
from ebgan_kernels.selfcheck.case import Case
from ebgan_kernels.selfcheck.cases import CASES
from support.faulty_case import Fault, with_fault

SMALL = [case for case in CASES if run._elements(case) <= 300]
# Its results are a loss with a gradient and energies without one.
LOSS = next(case for case in CASES if case.operator == "discriminator_loss")


@pytest.mark.parametrize("case", SMALL, ids=lambda case: f"{case.operator}-{case.inputs_in_words}")
def test_small_cases_pass(case: Case) -> None:
    row = run.check(case, "cpu")
    assert (row.outcome, row.reason) == ("passed", "")
    assert row.error is not None and row.reference_error is not None
    assert row.milliseconds is not None and row.reference_milliseconds is not None
    assert row.milliseconds > 0 and row.reference_milliseconds > 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("gradient a little too large", "gradient of "),
        ("second gradient a little too large", "then 5 loss through the same graph: "),
        ("value not a number", "nan ulp from the exact result"),
        ("another dtype", "is float64 of shape (), the reference's float32 of shape ()"),
        ("error", "RuntimeError: it fails"),
    ],
)
def test_a_fault_is_found(fault: Fault, reason: str) -> None:
    row = run.check(with_fault(LOSS, fault), "cpu")
    assert row.outcome == "FAILED"
    assert reason in row.reason and "\n" not in row.reason
    assert (row.operator, row.implementation, row.device) == ("discriminator_loss", "cpu", "cpu")


@pytest.mark.parametrize("operator", sorted({case.operator for case in CASES}))
def test_a_gradient_a_little_too_large_is_found_in_every_operator(operator: str) -> None:
    case = next(case for case in CASES if case.operator == operator)
    row = run.check(with_fault(case, "gradient a little too large"), "cpu")
    assert row.outcome == "FAILED" and row.worst.startswith("gradient of ")


def test_what_an_implementation_refuses_it_cannot_run() -> None:
    row = run.check(with_fault(LOSS, "refusal"), "cpu")
    assert (row.outcome, row.reason) == ("cannot run", "it refuses")


def test_results_of_another_shape_are_told() -> None:
    assert run._other_kind(torch.zeros(2), torch.zeros(1)) == (
        "is float32 of shape (2,), the reference's float32 of shape (1,)"
    )


def test_where_kernels_are_simulated_only_small_cases_run_and_no_time_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def simulated(implementation: Backend) -> bool:
        return True

    assert run.cases_for("cpu", CASES) == list(CASES)
    monkeypatch.setattr(run, "is_simulated", simulated)
    cases = run.cases_for("cpu", CASES)
    assert {case.operator for case in cases} == {case.operator for case in CASES}
    assert len(cases) < len(CASES)
    row = run.check(LOSS, "cpu")
    assert row.outcome == "passed" and row.milliseconds is None and row.reference_milliseconds is None


def test_no_gradient_arrives_where_rounding_decides_about_a_slope() -> None:
    incoming = run._incoming(torch.tensor([1e-9, 1.0] * 100, dtype=torch.float64))
    assert not incoming[::2].any() and incoming[1::2].any()
    for dtype in (torch.float16, torch.bfloat16):
        for factor in (1, 3, 5):
            assert torch.equal((factor * incoming).to(dtype).double(), factor * incoming)


def test_the_precision_of_float32_is_restored() -> None:
    convolutions = torch.backends.cudnn.conv
    before = convolutions.fp32_precision
    convolutions.fp32_precision = "tf32"
    try:
        with pytest.raises(KeyError), run.float32_as_it_is():
            assert convolutions.fp32_precision == torch.backends.cuda.matmul.fp32_precision == "ieee"
            raise KeyError
        assert convolutions.fp32_precision == "tf32"
    finally:
        convolutions.fp32_precision = before


def test_a_row_without_figures_keeps_the_first_line_of_a_reason() -> None:
    row = run.unchecked_row(LOSS, "cpu", "FAILED", "\n one line\nanother\n")
    assert row.reason == "one line"
    assert [getattr(row, field.name) for field in dataclasses.fields(row)][-4:] == [None] * 4

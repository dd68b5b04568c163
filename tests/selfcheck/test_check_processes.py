"""Processes of a check: what ends one, or never ends, is told, and does not hide the other cases."""

from __future__ import annotations

import pytest

from ebgan_kernels.selfcheck import processes
from ebgan_kernels.selfcheck.cases import CASES
from support.faulty_case import Fault, with_fault

GOOD = next(case for case in CASES if case.operator == "hinge_margin_loss")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("signal", "it ended its process by signal SIGSEGV"),
        ("exit", "it ended its process with status 7"),
        ("device lost", "RuntimeError: it fails"),
    ],
)
def test_what_ends_a_process_is_a_row_and_the_next_case_runs(fault: Fault, reason: str) -> None:
    rows = list(processes.rows_of("cpu", [with_fault(GOOD, fault), GOOD]))
    assert [row.outcome for row in rows] == ["FAILED", "passed"]
    assert rows[0].reason == reason


def test_what_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = processes.rows_of("cpu", [GOOD, with_fault(GOOD, "no end"), GOOD])
    assert next(rows).outcome == "passed"
    monkeypatch.setattr(processes, "CASE_SECONDS", 0.5)
    endless = next(rows)
    assert (endless.outcome, endless.reason) == ("FAILED", "it did not end within 0.5 s")
    monkeypatch.undo()
    assert [row.outcome for row in rows] == ["passed"]


def test_an_error_that_leaves_the_device_well_needs_no_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = processes.rows_of("cpu", [with_fault(GOOD, "error"), GOOD])
    assert next(rows).outcome == "FAILED"

    def refuse(method: str) -> None:
        raise AssertionError("a second process is started")

    monkeypatch.setattr(processes.multiprocessing, "get_context", refuse)
    assert [row.outcome for row in rows] == ["passed"]

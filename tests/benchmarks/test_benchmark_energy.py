"""The energy benchmark on tiny inputs, torch.compile left out: which rows there are, and what they count."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from benchmarks.bench_energy import CASES, DISCRIMINATOR, ENERGY, GENERATOR, HINGE
from benchmarks.operators import MODES, Case, Operator, available_implementations, draw, measure
from benchmarks.rows import OperatorRow

CPU = torch.device("cpu")
N = 4 * 6  # elements of one image tensor


@pytest.fixture(autouse=True)
def _not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", lambda function, **_: function)


def rows_of(operator: Operator, dtype: torch.dtype = torch.float32) -> list[OperatorRow]:
    return list(measure(Case(operator, (4, 6), dtype), device=CPU, copy_gb_per_s=10.0, quick=True))


def test_each_mode_has_a_row_of_each_implementation() -> None:
    wanted = ["eager", "torch.compile", *available_implementations(CPU), "streaming"]
    rows = rows_of(DISCRIMINATOR)
    assert [(row.mode, row.implementation) for row in rows] == [
        (mode, name) for mode in MODES for name in wanted
    ]


@pytest.mark.parametrize(
    ("operator", "forward", "backward"),
    [(DISCRIMINATOR, 4 * N, 6 * N), (GENERATOR, 2 * N, 4 * N), (ENERGY, 2 * N, 5 * N), (HINGE, 2 * N, 4 * N)],
)
def test_bytes_are_the_least_traffic(operator: Operator, forward: int, backward: int) -> None:
    arguments = draw(Case(operator, (4, 6)), CPU).arguments
    margin = 4 if len(arguments) % 2 else 0
    assert operator.bytes(arguments, "forward") == 4 * forward + margin
    assert operator.bytes(arguments, "forward+backward") == 4 * backward + margin


def test_errors_are_those_of_result_and_gradients_against_float64() -> None:
    rows = [row for row in rows_of(ENERGY) if row.implementation == "eager"]
    assert all(0 < row.error < 1e-6 for row in rows)  # type: ignore[operator]
    assert all(row.error_over_eager == 1 for row in rows)


def test_an_operator_that_computes_something_else_shows_in_its_error() -> None:
    def twice(*arguments: Any) -> torch.Tensor:
        return 2 * GENERATOR.fused(*arguments)

    wrong = Operator(
        GENERATOR.name, GENERATOR.arguments, GENERATOR.reference, twice, GENERATOR.stream, GENERATOR.bytes
    )
    ours = [row for row in rows_of(wrong) if row.implementation in available_implementations(CPU)]
    assert all(row.error == pytest.approx(1.0) for row in ours)


def test_a_pass_over_the_same_bytes_claims_no_accuracy() -> None:
    assert all(row.error is None for row in rows_of(GENERATOR) if row.implementation == "streaming")


def test_copies_of_a_case_are_drawn_anew_with_leaves_that_want_gradients() -> None:
    first, second = (draw(Case(DISCRIMINATOR, (2, 3, 4, 4), layout="channels_last"), CPU) for _ in range(2))
    assert len(first.leaves) == 2
    assert all(leaf.is_leaf for leaf in first.leaves)
    assert first.arguments[1].is_contiguous(memory_format=torch.channels_last)
    assert not torch.equal(first.arguments[0], second.arguments[0])


def test_the_full_run_holds_the_sizes_of_the_published_tables() -> None:
    shapes = {case.shape for case in CASES if case.operator is DISCRIMINATOR and case.dtype is torch.float32}
    assert {(64, 3, 128, 128), (64, 3, 64, 64), (64, 1, 28, 28)} <= shapes

"""The rows that the README and the pictures show: a few operators, one mode, their usual inputs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.rows import OperatorRow, Results
from benchmarks.timing import Clock

OPERATORS = (
    "discriminator_loss",
    "gradient_difference_loss",
    "gradient_difference_loss, 3-D",
    "multiscale_prediction_loss",
    "ladder_denoising_cost",
    "ladder_layer",
)
MODE, DTYPE, LAYOUT = "forward+backward", "float32", "contiguous"


def headline_rows(results: Results) -> list[OperatorRow]:
    return [
        row
        for row in results.rows
        if isinstance(row, OperatorRow)
        and row.operator in OPERATORS
        and (row.mode, row.dtype, row.layout) == (MODE, DTYPE, LAYOUT)
        and row.clock == headline_clock(results)
    ]


def by_case(rows: Sequence[OperatorRow]) -> dict[tuple[str, tuple[int, ...]], list[OperatorRow]]:
    """The rows of each operator and shape, one for each implementation."""
    cases: dict[tuple[str, tuple[int, ...]], list[OperatorRow]] = {}
    for row in rows:
        cases.setdefault((row.operator, row.shape), []).append(row)
    return cases


def headline_clock(results: Results) -> Clock:
    """Device time where it was measured, else wall time."""
    return "device" if results.environment.device_type == "cuda" else "wall"


def is_ours(implementation: str) -> bool:
    return implementation in ("cpu", "cuda", "triton")


def label(implementation: str) -> str:
    return f"ours ({implementation})" if is_ours(implementation) else implementation

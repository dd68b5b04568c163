"""The rows that the README and the pictures show: one operator, one mode, its usual inputs."""

from __future__ import annotations

from benchmarks.rows import OperatorRow, Results
from benchmarks.timing import Clock

OPERATOR, MODE, DTYPE, LAYOUT = "discriminator_loss", "forward+backward", "float32", "contiguous"


def headline_rows(results: Results) -> list[OperatorRow]:
    return [
        row
        for row in results.rows
        if isinstance(row, OperatorRow)
        and (row.operator, row.mode, row.dtype, row.layout) == (OPERATOR, MODE, DTYPE, LAYOUT)
        and row.clock == headline_clock(results)
    ]


def headline_clock(results: Results) -> Clock:
    """Device time where it was measured, else wall time."""
    return "device" if results.environment.device_type == "cuda" else "wall"


def is_ours(implementation: str) -> bool:
    return implementation in ("cpu", "cuda", "triton")


def label(implementation: str) -> str:
    return f"ours ({implementation})" if is_ours(implementation) else implementation

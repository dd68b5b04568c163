"""The rows that the README and the pictures show: a few operators, one mode, their usual inputs."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence

from benchmarks.rows import OperatorRow, Results
from benchmarks.timing import Clock
from ebgan_kernels.families import OPERATOR_FAMILIES

MODE, DTYPE, LAYOUT = "forward+backward", "float32", "contiguous"


@functools.cache
def headline_operators() -> frozenset[str]:
    """The operators that the benchmark of each family puts in its HEADLINE."""
    benchmarks = (importlib.import_module(f"benchmarks.bench_{family}") for family in OPERATOR_FAMILIES)
    return frozenset(name for benchmark in benchmarks for name in benchmark.HEADLINE)


def headline_rows(results: Results) -> list[OperatorRow]:
    return [
        row
        for row in results.rows
        if isinstance(row, OperatorRow)
        and row.operator in headline_operators()
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

"""Result files as a benchmark would write them, with round figures."""

from __future__ import annotations

import dataclasses

import pytest

from benchmarks.rows import Environment, OperatorRow, Results, StepRow
from benchmarks.timing import Timing

TIMES = {"eager": 12.0, "torch.compile": 6.0, "max-autotune": 5.0, "cpu": 2.5, "streaming": 2.0}


@pytest.fixture
def environment() -> Environment:
    return Environment(
        device="Abacus 3000, 2 threads",
        device_type="cpu",
        threads=2,
        torch="2.13.0",
        triton=None,
        version="0.1.0",
        commit="abc123",
        date="2026-01-31",
        copy_gb_per_s=20.0,
        quick=False,
    )


@pytest.fixture
def operator_rows() -> list[OperatorRow]:
    row = OperatorRow(
        operator="discriminator_loss",
        shape=(64, 3, 8, 8),
        dtype="float32",
        layout="contiguous",
        mode="forward+backward",
        implementation="eager",
        clock="wall",
        median_ms=12.0,
        iqr_ms=0.5,
        speedup_over_eager=1.0,
        speedup_over_compile=0.4167,
        bytes=1_000_000,
        gb_per_s=10.0,
        percent_of_copy=50.0,
        peak_extra_bytes=2_000_000,
        error=1e-7,
        error_over_eager=1.0,
    )
    return [
        dataclasses.replace(
            row,
            implementation=name,
            median_ms=milliseconds,
            speedup_over_eager=12.0 / milliseconds,
            speedup_over_compile=5.0 / milliseconds,
        )
        for name, milliseconds in TIMES.items()
    ]


@pytest.fixture
def step_rows() -> list[StepRow]:
    steps = {"eager": Timing(8.0, 0.1, 9), "cpu": Timing(6.0, 0.1, 9)}
    losses = {"eager": Timing(2.0, 0.1, 9), "cpu": Timing(0.3, 0.1, 9)}
    return StepRow.group("EBGAN", "training step", 128, steps, losses=losses)


@pytest.fixture
def results(environment: Environment, operator_rows: list[OperatorRow], step_rows: list[StepRow]) -> Results:
    return Results("energy", environment, (*operator_rows, *step_rows))

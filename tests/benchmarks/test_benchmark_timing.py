"""The timer: medians of interleaved samples."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import torch

from benchmarks.memory import peak_extra_bytes
from benchmarks.timing import MINIMUM_ROUNDS, Timing, Variant, wall_times

CPU = torch.device("cpu")


def test_a_timing_is_the_median_and_the_interquartile_range() -> None:
    assert Timing.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Timing(median_ms=3.0, iqr_ms=2.0, samples=5)


def test_times_are_milliseconds_of_one_call() -> None:
    timings = wall_times({"sleep": Variant(lambda _: time.sleep(0.01))}, None, device=CPU, quick=True)
    assert 10.0 <= timings["sleep"].median_ms < 100.0


def test_every_variant_takes_part_in_every_round_on_the_same_inputs() -> None:
    seen: list[object] = []
    inputs = object()
    variants = {"a": Variant(seen.append), "b": Variant(lambda _: time.sleep(0.002))}
    timings = wall_times(variants, inputs, device=CPU, quick=True)
    assert timings["a"].samples == timings["b"].samples >= MINIMUM_ROUNDS
    assert all(each is inputs for each in seen)


def test_a_call_too_short_for_the_clock_is_repeated_within_a_sample() -> None:
    calls: list[object] = []
    timings = wall_times({"short": Variant(calls.append)}, None, device=CPU, quick=True)
    assert len(calls) > 10 * timings["short"].samples


def test_calls_run_inside_the_scope_and_the_scope_is_not_timed() -> None:
    inside: list[bool] = []

    @contextlib.contextmanager
    def slow_scope() -> Iterator[None]:
        inside.append(True)
        time.sleep(0.02)
        try:
            yield
        finally:
            inside.pop()

    def run(_: object) -> None:
        assert inside

    timings = wall_times({"scoped": Variant(run, slow_scope)}, None, device=CPU, quick=True)
    assert timings["scoped"].median_ms < 1.0


def test_the_peak_of_memory_counts_what_is_freed_in_between_and_what_is_returned() -> None:
    def run() -> torch.Tensor:
        temporary = torch.empty(1000)
        result = torch.empty(500)
        del temporary
        return result

    assert peak_extra_bytes(run, CPU) == 4 * 1500

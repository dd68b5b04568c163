"""Interleaved timing of variants of one computation.

All variants of a comparison are timed in one run, a round at a time and in a new order every round, so that a
drifting clock or a noisy neighbour meets all of them; medians over rounds are compared. Two clocks:

wall    what a training loop feels: host time per call, on CUDA with the device synchronised at the end of
        each sample, so that a variant is as slow as the slower of its two sides. One set of inputs, warm.
device  CUDA only: device time per call, free of launch gaps and of warm caches. Many calls are captured in
        one CUDA graph, over copies of the inputs that exceed three times the L2 cache; events time a replay.
"""

from __future__ import annotations

import contextlib
import gc
import random
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch

Clock = Literal["wall", "device"]

GRAPH_CALLS = 200  # enough that the launch of the graph itself vanishes behind its kernels
MAXIMUM_COPIES = 256  # inputs so small that 256 copies fit the L2 cache live there in practice, too
SAMPLE_SECONDS = 1e-3  # a sample of the wall clock repeats its call until it lasts this long
MINIMUM_ROUNDS = 9
# For each variant. A GPU of one's own is quieter than a CPU, and its time is dearer.
WARMUP_SECONDS = {"cpu": 0.3, "cuda": 0.1}
WALL_SECONDS = {"cpu": 1.0, "cuda": 0.1}
DEVICE_SECONDS = 0.1


@dataclass(frozen=True)
class Variant:
    """One way to compute: `run` takes a set of inputs; `scope` is entered around its calls and not timed."""

    run: Callable[[Any], object]
    scope: Callable[[], AbstractContextManager[Any]] = nullcontext


@dataclass(frozen=True)
class Timing:
    """Milliseconds per call: median and interquartile range over `samples` samples."""

    median_ms: float
    iqr_ms: float
    samples: int

    @staticmethod
    def of(milliseconds: Sequence[float]) -> Timing:
        lower, median, upper = statistics.quantiles(milliseconds, n=4, method="inclusive")
        return Timing(median, upper - lower, len(milliseconds))


def wall_times(
    variants: Mapping[str, Variant],
    inputs: Any,
    *,
    device: torch.device,
    quick: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Host time per call of each variant on the same inputs; `quick` is too brief to quote.

    With the clock `time.process_time` it is the processor's time, which other processes disturb less.
    """
    seconds, warmup_seconds = (
        (0.05, 0.02) if quick else (WALL_SECONDS[device.type], WARMUP_SECONDS[device.type])
    )
    calls = {name: _warm_up(variant, inputs, device, warmup_seconds) for name, variant in variants.items()}

    def sample(name: str) -> float:
        variant = variants[name]
        with variant.scope():
            _synchronise(device)
            start = clock()
            for _ in range(calls[name]):
                variant.run(inputs)
            _synchronise(device)
            return (clock() - start) * 1e3 / calls[name]

    return _interleave(list(variants), sample, seconds)


def device_times(variants: Mapping[str, Variant], copies: Sequence[Any]) -> dict[str, Timing]:
    """Device time per call of each variant, replayed from a CUDA graph that walks through the `copies`."""
    calls = max(GRAPH_CALLS, len(copies))
    graphs = {name: _capture(variant, copies, calls) for name, variant in variants.items()}

    def sample(name: str) -> float:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graphs[name].replay()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end)) / calls

    for name in variants:
        sample(name)
    return _interleave(list(variants), sample, DEVICE_SECONDS)


def copies_beyond_cache(input_bytes: int, device: torch.device) -> int:
    """The number of copies of the inputs that exceed three L2 caches; at most `MAXIMUM_COPIES`."""
    cache = torch.cuda.get_device_properties(device).L2_cache_size
    return min(MAXIMUM_COPIES, 3 * cache // max(input_bytes, 1) + 1)


def _interleave(names: list[str], sample: Callable[[str], float], seconds: float) -> dict[str, Timing]:
    order = random.Random(0)
    samples: dict[str, list[float]] = {name: [] for name in names}
    with _collector_off():
        end = time.perf_counter() + seconds * len(names)
        while len(samples[names[0]]) < MINIMUM_ROUNDS or time.perf_counter() < end:
            for name in order.sample(names, len(names)):
                samples[name].append(sample(name))
    return {name: Timing.of(values) for name, values in samples.items()}


def _warm_up(variant: Variant, inputs: Any, device: torch.device, seconds: float) -> int:
    """Runs the variant for a time (not a count: clocks settle by time); the calls that fill one sample."""
    with variant.scope():
        variant.run(inputs)  # compiles, allocates, starts threads: not part of the pace
        _synchronise(device)
        start = time.perf_counter()
        calls = 0
        while calls < 2 or time.perf_counter() - start < seconds:
            variant.run(inputs)
            calls += 1
        _synchronise(device)
    pace = (time.perf_counter() - start) / calls
    return max(1, round(SAMPLE_SECONDS / pace))


def _capture(variant: Variant, copies: Sequence[Any], calls: int) -> torch.cuda.CUDAGraph:
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    # Warm on the stream of the capture: autograd remembers the stream on which a leaf was first used.
    with torch.cuda.stream(stream), variant.scope():
        for index in range(3):
            variant.run(copies[index % len(copies)])
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=stream), variant.scope():
        for index in range(calls):
            variant.run(copies[index % len(copies)])
    return graph


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextlib.contextmanager
def _collector_off() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()

"""Memory: the bandwidth that a copy reaches, and the peak of what a call allocates."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.timing import Variant, device_times, wall_times

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else each profile prints two lines of its own
COPY_BYTES = 256 * 2**20  # far beyond any cache, and quick


def copy_bandwidth(device: torch.device) -> float:
    """GB/s (10^9), read and written, of `destination.copy_(source)` between existing float32 buffers."""
    source = torch.randn(COPY_BYTES // 4, device=device)
    destination = torch.empty_like(source).fill_(1.0)
    copy = {"copy": Variant(lambda buffers: buffers[0].copy_(buffers[1]))}
    buffers = (destination, source)
    timings = (
        device_times(copy, [buffers]) if device.type == "cuda" else wall_times(copy, buffers, device=device)
    )
    return 2 * COPY_BYTES / timings["copy"].median_ms / 1e6


def peak_extra_bytes(run: Callable[[], object], device: torch.device) -> int:
    """The most that `run` holds at one time beyond what was held before it; results and gradients count."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        run()
        torch.cuda.synchronize(device)
        return torch.cuda.max_memory_allocated(device) - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        result = run()
    del result
    # `profiler.events()` keeps only a part of the allocator's records; Kineto's own list has each one.
    records = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = peak = 0
    for record in sorted(records, key=lambda record: record.start_ns()):
        held += record.nbytes()
        peak = max(peak, held)
    return peak

"""Where the time of a training step goes, by kind of operation, as torch's profiler sees it."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from benchmarks.rows import PartRow
from benchmarks.timing import Timing

PROFILED_STEPS, KEPT_STEPS = 12, 4  # the quickest: on a shared machine the others waited for the processor

# What a profiled operation counts as, by a part of its name in small letters; the first that fits.
KINDS = {
    "losses and ladder layers": ("ebgan_kernels", "loss"),
    "convolutions": ("convolution", "mkldnn", "cudnn"),
    "matrix products": ("addmm", "aten::mm", "bmm"),
    "batch normalisation": ("batch_norm", "batchnorm"),
    "up-sampling": ("upsample",),
    "activations": ("relu", "tanh", "threshold", "clamp_min"),
    "copies into another type or layout": ("copy_",),
    "random numbers": ("normal_", "randn"),
    "Adam": ("adam", "addcmul", "addcdiv", "lerp", "sqrt", "aten::div"),
}


def where_time_goes(step: Callable[[], object], system: str, job: str, device: torch.device) -> list[PartRow]:
    """The time of a step by kind of operation, the greatest first, of the quickest of many steps."""
    on_device = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_device else [])]
    steps = []
    for _ in range(PROFILED_STEPS):
        with profile(activities=activities) as recorded:
            step()
        of_step = dict.fromkeys((*KINDS, "everything else"), 0.0)
        for each in recorded.key_averages():
            # A kernel has a row of its own, too; its time is that of the operator that launched it.
            if each.device_type == DeviceType.CPU:
                microseconds = each.self_device_time_total if on_device else each.self_cpu_time_total
                of_step[_kind(each.key)] += microseconds / 1e3
        steps.append(of_step)
    quickest = sorted(steps, key=lambda times: sum(times.values()))[:KEPT_STEPS]
    timings = {kind: Timing.of([times[kind] for times in quickest]) for kind in quickest[0]}
    whole = sum(timing.median_ms for timing in timings.values())
    rows = [
        PartRow(system, job, kind, timing.median_ms, timing.iqr_ms, timing.median_ms / whole)
        for kind, timing in timings.items()
        if timing.median_ms
    ]
    return sorted(rows, key=lambda row: -row.median_ms)


def _kind(operation: str) -> str:
    name = operation.lower()
    fitting = (kind for kind, parts in KINDS.items() if any(part in name for part in parts))
    return next(fitting, "everything else")

"""Measures which engine convolves a layer fastest on the CUDA device that is here, and writes it down:

    python -m benchmarks.valid_conv_engines [--commit COMMIT]

Every layer of both video discriminators, forward and backward with ReLU, at batch 8 and 64, in float32 (under
torch's own setting of TF32) and bfloat16, contiguous and channels-last: cuDNN with torch's ReLU, and each of
our implementations. The result is this device's entry in `ebgan_kernels/engines.json`, by which the library
chooses; those of other devices stay.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import torch

from benchmarks.bench_valid_conv import LAYOUTS, Case, cases_of, copies_of, draw, variants_of
from benchmarks.operators import Layout
from benchmarks.rows import current_commit, today
from benchmarks.timing import Timing, copies_beyond_cache, device_times
from ebgan_kernels import engines

JOB = "forward+backward"
# A kernel of ours must win by more than the noise of a measurement: cuDNN is the engine that is known.
MARGIN = 1.03


def fastest(timings: Mapping[str, Timing], layout: Layout) -> engines.Engine:
    """The engine of a layout, of timings by "engine, layout" where torch's is cuDNN."""
    ours: dict[engines.Engine, float] = {
        engine: timings[f"{engine}, {layout}"].median_ms
        for engine in ("cuda", "triton")
        if f"{engine}, {layout}" in timings
    }
    best = min(ours, key=ours.__getitem__, default="cudnn")
    if best == "cudnn" or ours[best] * MARGIN > timings[f"torch, {layout}"].median_ms:
        return "cudnn"
    return best


def table_of(
    device: torch.device, commit: str, timings_of: Callable[[Case], Mapping[str, Timing]]
) -> dict[str, Any]:
    """A device's entry, with the timings that `timings_of` makes of each case."""
    layers: dict[str, dict[str, str]] = {}
    for case in cases_of(device):
        timings = timings_of(case)
        layer = case.layer
        for layout, form in LAYOUTS.items():
            shape = (2, layer.channels, layer.side, layer.side)
            input = torch.empty(shape, dtype=case.dtype, device="meta").contiguous(memory_format=form)
            weight = torch.empty(layer.maps, layer.channels, layer.kernel, layer.kernel, device="meta")
            by_batch = layers.setdefault(engines.layer_key(input, weight, case.dtype), {})
            by_batch[str(case.batch)] = fastest(timings, layout)
    return {"date": today(), "torch": torch.__version__, "commit": commit, "layers": layers}


def measured(case: Case) -> dict[str, Timing]:
    device = torch.device("cuda")
    copies = copies_of(draw(case, device), copies_beyond_cache(2 * case.bytes, device))
    return device_times(variants_of(device, JOB, compiled=False), copies)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commit", help="commit that was measured (default: what git says)")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("valid_conv_engines: torch sees no CUDA device; engines are measured on one")
    table = table_of(torch.device("cuda"), options.commit or current_commit(), measured)
    tables = {**engines.measured(), torch.cuda.get_device_name(): table}
    partial = engines.TABLE.with_suffix(".partial")
    partial.write_text(json.dumps(tables, indent=1, sort_keys=True) + "\n")
    os.replace(partial, engines.TABLE)
    print(f"{engines.TABLE}: {len(table['layers'])} layers of {torch.cuda.get_device_name()}")


if __name__ == "__main__":
    main()

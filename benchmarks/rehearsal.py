"""Runs a benchmark with hardly any timing, so that everything that it compiles is in the caches on disk:

    python -m benchmarks.rehearsal bench_energy --budget 60

What it prints are no measurements, and it writes no results. On a lent GPU it runs beside the tests.
"""

from __future__ import annotations

import pathlib
import runpy
import sys
import tempfile

from benchmarks import timing
from ebgan_kernels import engines


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        raise SystemExit("usage: python -m benchmarks.rehearsal BENCHMARK [OPTIONS OF THE BENCHMARK]")
    benchmark, options = sys.argv[1], sys.argv[2:]
    timing.GRAPH_CALLS = timing.MINIMUM_ROUNDS = timing.MAXIMUM_COPIES = 2
    timing.DEVICE_SECONDS = timing.SAMPLE_SECONDS = 0.0
    timing.WALL_SECONDS = timing.WARMUP_SECONDS = dict.fromkeys(timing.WALL_SECONDS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        engines.TABLE = pathlib.Path(folder, "engines.json")
        sys.argv = [benchmark, *options]
        if benchmark.startswith("bench_"):
            sys.argv += ["--output", folder]
        runpy.run_module(f"benchmarks.{benchmark}", run_name="__main__")


if __name__ == "__main__":
    main()

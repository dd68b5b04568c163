"""`python -m benchmarks [options]`: every benchmark with the same options (see `--help`), then the report.

Each runs in a process of its own, so that one that fails takes no other along; the exit status says
whether all went well.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks.command import arguments
from benchmarks.rows import ROOT

BENCHMARKS = (
    "bench_energy",
    "bench_pulling_away",
    "bench_gdl",
    "bench_valid_conv",
    "bench_ladder",
    "bench_ladder_steps",
    "bench_gan",
    "bench_gan_convolutional",
    "bench_clips",
    "bench_video",
)


def main() -> int:
    options = arguments(__doc__).parse_args()
    failed = [name for name in BENCHMARKS if _run(f"benchmarks.{name}", *sys.argv[1:])]
    if not options.quick and options.output is None and _run("benchmarks.report"):
        failed.append("report")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _run(module: str, *options: str) -> int:
    print(f"\n## {module}", flush=True)
    return subprocess.run([sys.executable, "-m", module, *options], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks [options]`: every benchmark with the same options (see `--help`), then the report.

Each runs in a process of its own, so that one that fails takes no other along; the exit status says
whether all went well.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.command import arguments
from benchmarks.rows import ROOT
from ebgan.systems import SYSTEMS
from ebgan_kernels.families import OPERATOR_FAMILIES

# Operators, then systems, each with all that is measured of it, such as `bench_gan_convolutional`; then the
# learners of energies, data, and the fast step of all.
OTHERS = ("energies", "clips", "loading", "training_step")
NAMES = (*OPERATOR_FAMILIES, *(system.name for system in SYSTEMS), *OTHERS)
BENCHMARKS = dict.fromkeys(
    path.stem for name in NAMES for path in sorted(Path(__file__).parent.glob(f"bench_{name}*.py"))
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

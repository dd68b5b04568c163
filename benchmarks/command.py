"""The command line that all benchmarks share, and the run that they record into."""

from __future__ import annotations

import argparse
import dataclasses
import math
import pathlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import torch

import ebgan_kernels
from benchmarks.memory import copy_bandwidth
from benchmarks.rows import RESULTS, ROOT, Environment, Results, Row, environment
from benchmarks.tables import row_lines


@dataclass
class Session:
    """One run of one benchmark: rows are printed and written as they come; a time limit loses none."""

    benchmark: str
    device: torch.device
    environment: Environment
    output: pathlib.Path | None
    deadline: float
    rows: list[Row] = field(default_factory=list)

    @property
    def quick(self) -> bool:
        return self.environment.quick

    def time_left(self, what: str) -> bool:
        """Whether `what` may begin; says so where the budget is spent."""
        if time.monotonic() < self.deadline:
            return True
        print(f"budget spent, not measured: {what}", flush=True)
        return False

    def record(self, rows: Iterable[Row]) -> None:
        new = list(rows)
        self.rows += new
        print("\n".join(row_lines(new)), flush=True)
        if self.output is not None:
            Results(self.benchmark, self.environment, tuple(self.rows)).save(self.output)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The options of every benchmark."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="use small inputs and time briefly, to see that it works"
    )
    parser.add_argument(
        "--device",
        choices=("cpu", "cuda"),
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="device to measure (default: cuda where torch sees one)",
    )
    parser.add_argument(
        "--output",
        type=pathlib.Path,
        help=f"folder of the result files (default: {RESULTS.relative_to(ROOT)}; with --quick: none)",
    )
    parser.add_argument(
        "--budget", type=float, default=math.inf, help="begin nothing after this many seconds"
    )
    parser.add_argument("--commit", help="commit that was measured (default: what git says)")
    return parser


def open_session(benchmark: str, description: str | None) -> Session:
    """Read the command line, measure the bandwidth of a copy, and print what is measured where."""
    return session_of(benchmark, arguments(description).parse_args())


def session_of(benchmark: str, options: argparse.Namespace) -> Session:
    """As `open_session`, of a command line that is read already."""
    deadline = time.monotonic() + options.budget
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit("--device cuda: torch sees no CUDA device; use --device cpu")
    device = torch.device(options.device)
    where = environment(
        device, commit=options.commit, quick=options.quick, copy_gb_per_s=copy_bandwidth(device)
    )
    print(ebgan_kernels.backend_report())
    print(", ".join(f"{name} {value}" for name, value in dataclasses.asdict(where).items()), flush=True)
    return Session(benchmark, device, where, options.output or (None if options.quick else RESULTS), deadline)

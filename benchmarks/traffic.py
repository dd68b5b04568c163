"""Counts what the CUDA operators move: `python -m benchmarks.traffic [--page] [--output DIR]`.

The kernels run on CPU tensors on the emulated device of `tests/emulator`, which counts; nvcc says what
registers and shared memory they take. `make traffic` builds the device and calls this. It writes
`traffic.json` and, from it, the page `TRAFFIC.md`; with `--page` the page alone.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.emulated import Counter, Launch
from benchmarks.operators import Mode
from benchmarks.resources import CSRC, Compiled, Resources, compiled_kernels, kernel_name
from benchmarks.rows import RESULTS, current_commit, today
from benchmarks.traffic_cases import CASES, TrafficCase, run

DATA, PAGE = "traffic.json", "TRAFFIC.md"


@dataclass(frozen=True)
class TrafficRow:
    """The launches of one operator on one input in one mode; `elements` are those of its first argument."""

    operator: str
    shape: tuple[int, ...]
    dtype: str
    mode: Mode
    elements: int
    minimum: int  # bytes
    is_traffic: bool
    launches: tuple[Launch, ...]

    @property
    def moved(self) -> int:
        """Bytes that memory delivers or takes at least, launch by launch."""
        return sum(sum(launch.bytes_of_launch) for launch in self.launches)

    @property
    def fetched(self) -> int:
        """Bytes that blocks fetch or write at least, each of them for itself."""
        return sum(sum(launch.bytes_of_blocks) for launch in self.launches)


@dataclass(frozen=True)
class Traffic:
    """The content of `traffic.json`; `kernels` are those that the rows launch, by name."""

    commit: str
    date: str
    rows: tuple[TrafficRow, ...]
    kernels: Mapping[str, Compiled]

    def save(self, path: pathlib.Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")

    @staticmethod
    def load(path: pathlib.Path) -> Traffic:
        """Read a file; ValueError, naming it, where it is not a file of traffic."""
        try:
            content = json.loads(path.read_text())
            return Traffic(
                content["commit"],
                content["date"],
                tuple(map(_row, content["rows"])),
                {name: _compiled(each) for name, each in content["kernels"].items()},
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is not a file of traffic ({error}); count again") from None


def _row(content: dict[str, Any]) -> TrafficRow:
    launches = tuple(map(Launch.load, content["launches"]))
    return TrafficRow(**{**content, "shape": tuple(content["shape"]), "launches": launches})


def _compiled(content: dict[str, Any]) -> Compiled:
    by_target = {target: Resources(**each) for target, each in content["by_target"].items()}
    return Compiled(by_target, content["divisions"])


def count(counter: Counter, case: TrafficCase) -> Iterator[TrafficRow]:
    """A row for every mode of the case."""
    for mode in case.modes:
        torch.manual_seed(0)
        arguments = case.arguments(case.shape, case.dtype)
        started = time.perf_counter()
        launches = counter.count(lambda: run(case, arguments, mode))  # noqa: B023
        print(f"{case.name} {case.shape}, {mode}: {time.perf_counter() - started:.0f} s", flush=True)
        yield TrafficRow(
            operator=case.name,
            shape=case.shape,
            dtype=str(case.dtype).removeprefix("torch."),
            mode=mode,
            elements=arguments[0].numel(),
            minimum=case.bytes(arguments, mode),
            is_traffic=case.is_traffic,
            launches=tuple(launches),
        )


def measure() -> Traffic:
    """Counts every case, and looks up what its kernels take."""
    counter = Counter()
    rows = [row for case in CASES for row in count(counter, case)]
    compiled = compiled_kernels(sorted((CSRC / "cuda").glob("*.cu")))
    launched = {kernel_name(launch.kernel) for row in rows for launch in row.launches}
    if missing := sorted(launched - compiled.keys()):
        raise RuntimeError(
            f"nvcc has compiled no kernel of the name {missing[0]}, and the emulated device runs it"
        )
    return Traffic(
        current_commit(), today(), tuple(rows), {name: compiled[name] for name in sorted(launched)}
    )


def main(arguments: Sequence[str] | None = None) -> int:
    from benchmarks.traffic_page import page

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", action="store_true", help=f"count nothing; write {PAGE} from {DATA}")
    parser.add_argument("--output", type=pathlib.Path, default=RESULTS, help="folder of both files")
    options = parser.parse_args(arguments)
    try:
        if not options.page:
            measure().save(options.output / DATA)
        (options.output / PAGE).write_text(page(Traffic.load(options.output / DATA)))
    except (RuntimeError, ValueError, OSError) as error:
        print(f"benchmarks.traffic: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

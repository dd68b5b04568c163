"""The results of a benchmark: a JSON file per benchmark and device, with the conditions of the run."""

from __future__ import annotations

import dataclasses
import datetime
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

import ebgan_kernels
from benchmarks.timing import Clock, Timing

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Environment:
    """The conditions of a measurement; `copy_gb_per_s` is the bandwidth of a copy in the same run."""

    device: str
    device_type: str
    threads: int
    torch: str
    triton: str | None
    version: str
    commit: str
    date: str
    copy_gb_per_s: float
    quick: bool


@dataclass(frozen=True)
class OperatorRow:
    """One implementation of one operator on one input.

    `bytes` is the least traffic of the operator (each input read once, each gradient written once) and the
    same for every implementation, so `gb_per_s` is effective. `speedup_over_compile` is over the faster of
    torch.compile's two modes. `error` is the largest relative error (2-norm) of result and gradients against
    float64 on the inputs as rounded.
    """

    operator: str
    shape: tuple[int, ...]
    dtype: str
    layout: str
    mode: str
    implementation: str
    clock: Clock
    median_ms: float
    iqr_ms: float
    speedup_over_eager: float
    speedup_over_compile: float | None
    bytes: int
    gb_per_s: float
    percent_of_copy: float
    peak_extra_bytes: int | None
    error: float | None
    error_over_eager: float | None


@dataclass(frozen=True)
class StepRow:
    """One whole job (a training step, sampling, loading) on a batch of items.

    `speedup` is over the first implementation of the group; `loss_ms` is the time of the step's losses alone.
    """

    system: str
    job: str
    batch: int
    implementation: str
    median_ms: float
    iqr_ms: float
    speedup: float
    per_second: float
    unit: str
    loss_ms: float | None
    loss_share: float | None

    @staticmethod
    def group(
        system: str,
        job: str,
        batch: int,
        timings: Mapping[str, Timing],
        *,
        unit: str = "images",
        losses: Mapping[str, Timing] | None = None,
    ) -> list[StepRow]:
        """The rows of one job done in several ways; the first is what the others are compared with."""
        base = next(iter(timings.values())).median_ms
        rows = []
        for name, timing in timings.items():
            loss_ms = losses[name].median_ms if losses else None
            rows.append(
                StepRow(
                    system=system,
                    job=job,
                    batch=batch,
                    implementation=name,
                    median_ms=timing.median_ms,
                    iqr_ms=timing.iqr_ms,
                    speedup=base / timing.median_ms,
                    per_second=batch / timing.median_ms * 1e3,
                    unit=unit,
                    loss_ms=loss_ms,
                    loss_share=None if loss_ms is None else loss_ms / timing.median_ms,
                )
            )
        return rows


@dataclass(frozen=True)
class PartRow:
    """The time that one kind of operation takes of a whole job; `share` is the fraction of the job's."""

    system: str
    job: str
    part: str
    median_ms: float
    iqr_ms: float
    share: float


@dataclass(frozen=True)
class ReachedRow:
    """The `score` that a job reached after its steps, a value for each seed."""

    system: str
    job: str
    implementation: str
    steps: int
    score: str
    values: tuple[float, ...]


Row = OperatorRow | StepRow | PartRow | ReachedRow
_ROW_TYPES: dict[str, type[Row]] = {
    each.__name__: each for each in (OperatorRow, StepRow, PartRow, ReachedRow)
}


@dataclass(frozen=True)
class Results:
    """One result file."""

    benchmark: str
    environment: Environment
    rows: tuple[Row, ...]

    @property
    def file_name(self) -> str:
        return f"{self.benchmark}-{slug(self.environment.device)}.json"

    def save(self, folder: pathlib.Path) -> pathlib.Path:
        """Write the file in one step: a run that is cut short leaves whole rows behind."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.file_name
        content: dict[str, Any] = {
            "benchmark": self.benchmark,
            "environment": dataclasses.asdict(self.environment),
            "rows": [{"kind": type(row).__name__, **dataclasses.asdict(row)} for row in self.rows],
        }
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(content, indent=1) + "\n")
        os.replace(partial, path)
        return path

    @staticmethod
    def load(path: pathlib.Path) -> Results:
        """Read a file; ValueError, naming it, where it is not a result file of this version."""
        try:
            content = json.loads(path.read_text())
            rows = tuple(_row(fields) for fields in content["rows"])
            return Results(content["benchmark"], Environment(**content["environment"]), rows)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"{path} is not a result file of this version ({error}); measure it again"
            ) from None


def _row(fields: dict[str, Any]) -> Row:
    row_type = _ROW_TYPES[fields.pop("kind")]
    for name in {"shape", "values"} & fields.keys():
        fields[name] = tuple(fields[name])
    return row_type(**fields)


def slug(device: str) -> str:
    """A device's name as a part of a file's name."""
    return re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-")


def device_name(device: torch.device) -> str:
    """The vendor's name of a device; a CPU's with the number of threads that torch uses."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    models = re.findall(r"^model name\s*:\s*(.+)$", _read("/proc/cpuinfo"), flags=re.MULTILINE)
    return f"{models[0] if models else 'CPU'}, {torch.get_num_threads()} threads"


def current_commit() -> str:
    """The commit of the tree, `-dirty` where files differ from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def environment(
    device: torch.device, *, commit: str | None, quick: bool, copy_gb_per_s: float
) -> Environment:
    """The conditions of a run that begins now."""
    return Environment(
        device=device_name(device),
        device_type=device.type,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        triton=installed_version("triton"),
        version=ebgan_kernels.__version__,
        commit=commit or current_commit(),
        date=today(),
        copy_gb_per_s=copy_gb_per_s,
        quick=quick,
    )


def today() -> str:
    return datetime.datetime.now(datetime.timezone.utc).date().isoformat()


def installed_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _read(path: str) -> str:
    try:
        return pathlib.Path(path).read_text()
    except OSError:
        return ""

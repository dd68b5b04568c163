"""The outcome of a check: a table for the eye, and a JSON file to send."""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils import collect_env

from ebgan_kernels.backends import Backend, backend_report
from ebgan_kernels.selfcheck.run import Row
from ebgan_kernels.version import __version__

_COLUMNS = "{:26}  {:48}  {:17}  {:6}  {:>15}  {:>17}  {}"
HEADING = _COLUMNS.format(
    "operator", "inputs", "dtypes", "runs on", "error, ulp", "forward+backward, ms", "outcome"
)


def line(row: Row) -> str:
    """A line of the table. Of each pair of figures the second is the reference's."""
    return _COLUMNS.format(
        row.operator,
        row.inputs,
        row.dtypes,
        row.implementation,
        _pair(row.error, row.reference_error),
        _pair(row.milliseconds, row.reference_milliseconds),
        f"{row.outcome}: {row.reason}" if row.reason else row.outcome,
    ).rstrip()


def _pair(ours: float | None, reference: float | None) -> str:
    return "-" if ours is None or reference is None else f"{ours:.3g} / {reference:.3g}"


@dataclass
class Outcome:
    """All that is known: of each implementation why it is not checked, or how many cases it takes, and the rows."""

    machine: Mapping[str, object]
    implementations: dict[Backend, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether something was checked and nothing failed."""
        counts = Counter(row.outcome for row in self.rows)
        return counts["passed"] > 0 and counts["FAILED"] == 0

    def summary(self) -> list[str]:
        """The failures again, each in a line, and how many of what."""
        failures = [row for row in self.rows if row.outcome == "FAILED"]
        lines = [
            f"FAILED: {row.operator} ({row.inputs}; {row.dtypes}) on {row.implementation}: {row.reason}"
            for row in failures
        ]
        if not self.rows:
            return ["Nothing was checked: there is no implementation here but the reference."]
        counts = Counter(row.outcome for row in self.rows)
        numbers = ", ".join(f"{counts[kind]} {kind}" for kind in ("passed", "FAILED", "cannot run"))
        return [*lines, f"{len(self.rows)} checks: {numbers}."]

    def save(self, path: pathlib.Path) -> None:
        """Writes the JSON file; figures that are not finite are strings there."""
        content = {
            "machine": self.machine,
            "implementations": self.implementations,
            "passed": self.passed,
            "rows": [
                {name: _finite(value) for name, value in dataclasses.asdict(row).items()} for row in self.rows
            ],
        }
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def machine() -> dict[str, object]:
    """What a reader of the file must know of the machine."""
    facts: dict[str, object] = {
        "ebgan_kernels": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "report": backend_report().splitlines(),
    }
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        facts["gpu"] = {
            "name": properties.name,
            "capability": f"{properties.major}.{properties.minor}",
            "memory_gib": round(properties.total_memory / 2**30, 1),
            "driver": collect_env.get_nvidia_driver_version(collect_env.run),
            "torch_cuda": torch.version.cuda,
        }
    return facts

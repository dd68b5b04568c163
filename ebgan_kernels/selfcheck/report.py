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
from typing import Any, get_args

import torch
from torch.utils import collect_env

from ebgan_kernels.backends import Backend, backend_report
from ebgan_kernels.selfcheck.run import Row, RowOutcome
from ebgan_kernels.version import __version__

_COLUMNS = "{:26}  {:53}  {:17}  {:6}  {:>15}  {:>15}  {}"
HEADING = "\n".join(
    (
        "Errors are in units in the last place (ulp); a time is that of a forward and backward pass.",
        "The second figure of each pair is the reference's.",
        _COLUMNS.format("operator", "inputs", "dtypes", "on", "error, ulp", "time, ms", "outcome"),
    )
)


def line(row: Row) -> str:
    """A line of the table. The second figure of each pair is the reference's."""
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
class Results:
    """The content of the file: the machine, the cases of each implementation or why it has none, the rows."""

    machine: Mapping[str, object]
    implementations: dict[Backend, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    complete: bool = False

    @property
    def passed(self) -> bool:
        """Whether the check came to its end, something passed and nothing failed."""
        counts = Counter(row.outcome for row in self.rows)
        return self.complete and counts["passed"] > 0 and counts["FAILED"] == 0

    def summary(self) -> list[str]:
        """The failures, one in each line, and the counts of all outcomes."""
        if not self.rows:
            return ["Nothing was checked: no implementation but the reference can run here."]
        failures = [
            f"FAILED on {row.implementation}: {row.operator} ({row.inputs}; {row.dtypes}): {row.reason}"
            for row in self.rows
            if row.outcome == "FAILED"
        ]
        counts = Counter(row.outcome for row in self.rows)
        numbers = ", ".join(f"{counts[kind]} {kind}" for kind in get_args(RowOutcome))
        return [*failures, f"{len(self.rows)} checks: {numbers}."]

    def save(self, path: pathlib.Path) -> None:
        """Writes the JSON file, with strings for figures that are not finite."""
        content = {
            "machine": self.machine,
            "implementations": self.implementations,
            "complete": self.complete,
            "passed": self.passed,
            "rows": [
                {name: _finite(value) for name, value in dataclasses.asdict(row).items()} for row in self.rows
            ],
        }
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def machine() -> dict[str, object]:
    """The facts of the machine that a reader of the file needs."""
    facts: dict[str, object] = {
        "ebgan_kernels": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "threads": torch.get_num_threads(),
        "report": backend_report().splitlines(),
    }
    if torch.cuda.is_available():
        facts["gpu"] = _gpu()
    return facts


def _gpu() -> dict[str, object]:
    """The GPU that is checked, which is the first that torch sees."""
    facts: dict[str, object] = {
        "driver": collect_env.get_nvidia_driver_version(collect_env.run),
        "torch_cuda": torch.version.cuda,
    }
    try:
        properties = torch.cuda.get_device_properties(0)
    except RuntimeError as error:  # The file must also report a GPU that does not start.
        return {**facts, "error": str(error).partition("\n")[0]}
    return {
        **facts,
        "name": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "memory_gib": round(properties.total_memory / 2**30, 1),
    }

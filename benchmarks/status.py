"""The kernels that have passed their tests, by device: `benchmarks/results/STATUS.md`.

    pytest tests --implementations reference,cpu --junitxml=build/tests.xml
    TRITON_INTERPRET=1 pytest tests/triton_kernels/interpreter tests/ops --implementations triton \\
        --junitxml=build/triton.xml
    EBGAN_KERNELS_EMULATE_CUDA=1 pytest tests/ops tests/cuda --implementations cuda --junitxml=build/cuda.xml
    python -m benchmarks.status record build/*.xml     # -> results/checks-<device>.json
    python -m benchmarks.status                        # results/checks-*.json -> results/STATUS.md

A test belongs to the operator family in its file's name (`test_energy_gradients.py`) and to the
implementation in its parameters (`[cuda-l2]`), else to that of its folder (`tests/triton_kernels`); others
say nothing about a kernel. A test that only compiles kernels counts apart. A run says nothing of the tests
that it deselects.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from benchmarks.rows import RESULTS, current_commit, device_name, slug, today
from benchmarks.tables import table
from ebgan_kernels.backends import BACKENDS
from ebgan_kernels.families import OPERATOR_FAMILIES

NOT_YET_RUN = "not yet run"
COMPILED, ON_A_GPU = "compiles", "passed on a GPU"
# What is known of an implementation, from the least to the most.
STAGES: dict[str, tuple[str, ...]] = {
    "reference": ("passed",),
    "cpu": ("passed",),
    "cuda": (COMPILED, "emulated", ON_A_GPU),
    "triton": (COMPILED, "interpreted", ON_A_GPU),
}


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Checks:
    """The outcome of one run of the tests: counts by "family implementation"."""

    device: str
    device_type: str
    torch: str
    commit: str
    date: str
    kernels: dict[str, Counts]

    def save(self, folder: pathlib.Path) -> pathlib.Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"checks-{slug(self.device)}.json"
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        return path

    @staticmethod
    def load(path: pathlib.Path) -> Checks:
        """Read a file; ValueError, naming it, where it is not a file of checks."""
        try:
            content = json.loads(path.read_text())
            kernels = {name: Counts(**counts) for name, counts in content.pop("kernels").items()}
            return Checks(**content, kernels=kernels)
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} is not a file of checks ({error}); record the tests again") from None


def kernel_of(classname: str, name: str) -> str | None:
    """The "family implementation" that a JUnit test case is about; None where it is about no kernel.

    Of one that compiles kernels for GPUs that are not there, and runs none: "family implementation compiles".
    """
    folders, _, module = classname.rpartition("test_")
    bracketed = re.search(r"\[(.*)\]$", name)
    if module == "cuda_library":
        known = bracketed and bracketed[1] in OPERATOR_FAMILIES
        return f"{bracketed[1]} cuda {COMPILED}" if known else None
    families = [family for family in OPERATOR_FAMILIES if re.search(rf"(^|_){family}(_|\.|$)", module)]
    if "compile" in folders.split("."):
        return f"{families[0]} triton {COMPILED}" if families else None
    named = (bracketed.group(1).split("-") if bracketed else []) + [
        folder.removesuffix("_kernels") for folder in folders.split(".")
    ]
    implementations = [part for part in named if part in BACKENDS]
    return f"{families[0]} {implementations[0]}" if families and implementations else None


def count(reports: Sequence[pathlib.Path]) -> dict[str, Counts]:
    """Outcomes in JUnit files, by kernel."""
    kernels: dict[str, Counts] = {}
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            kernel = kernel_of(case.get("classname", ""), case.get("name", ""))
            if kernel is None:
                continue
            counts = kernels.setdefault(kernel, Counts())
            if case.find("failure") is not None or case.find("error") is not None:
                counts.failed += 1
            elif case.find("skipped") is not None:
                counts.skipped += 1
            else:
                counts.passed += 1
    return kernels


def status_page(all_checks: Sequence[Checks]) -> str:
    """A line for each stage of a kernel, a column per device; those without a run are there, too."""
    columns = sorted(all_checks, key=lambda checks: (checks.device_type, checks.device))
    header = ["operators", "implementation", "stage", *(checks.device for checks in columns)]
    lacks_gpu = all(checks.device_type != "cuda" for checks in columns)
    body = []
    for family in OPERATOR_FAMILIES:
        for implementation in BACKENDS:
            for stage in STAGES[implementation]:
                cells = [_cell(checks, family, implementation, stage) for checks in columns]
                of_no_gpu = [NOT_YET_RUN if stage == ON_A_GPU else ""] if lacks_gpu else []
                body.append([family, implementation, stage, *cells, *of_no_gpu])
    lines = [
        "# Status of the kernels",
        "",
        "Written by `python -m benchmarks.status` from the test runs in `checks-*.json`; on a machine with a",
        "GPU, `scripts/gpu_check.sh` makes one. A kernel for a GPU compiles, runs on an emulated device or",
        "in Triton's interpreter, and at last on a GPU. Numbers are of tests that passed.",
        "",
        *table([*header, *(["a CUDA GPU"] if lacks_gpu else [])], body),
        "",
        *(
            f"- {checks.device}: {checks.date}, commit {checks.commit}, torch {checks.torch}"
            for checks in columns
        ),
    ]
    return "\n".join(lines) + "\n"


def _cell(checks: Checks, family: str, implementation: str, stage: str) -> str:
    """The text of a cell, empty where the device cannot reach the stage."""
    kernel = f"{family} {implementation}"
    if stage == COMPILED:
        kernel = f"{kernel} {COMPILED}"
    elif implementation in ("cuda", "triton") and (stage == ON_A_GPU) != (checks.device_type == "cuda"):
        return ""
    counts = checks.kernels.get(kernel, Counts())
    if counts.failed:
        return f"FAILED ({counts.failed} of {counts.failed + counts.passed})"
    return str(counts.passed) if counts.passed else NOT_YET_RUN


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--results", type=pathlib.Path, default=RESULTS, help="folder of the checks and of STATUS.md"
    )
    commands = parser.add_subparsers(dest="command")
    record = commands.add_parser("record", help="count the outcomes of JUnit files as a run on this machine")
    record.add_argument("junit", type=pathlib.Path, nargs="+")
    record.add_argument(
        "--device", choices=("cpu", "cuda"), default="cuda" if torch.cuda.is_available() else "cpu"
    )
    record.add_argument("--commit", help="commit that was tested (default: what git says)")
    options = parser.parse_args(arguments)
    try:
        if options.command == "record":
            device = torch.device(options.device)
            Checks(
                device=device_name(device),
                device_type=device.type,
                torch=torch.__version__,
                commit=options.commit or current_commit(),
                date=today(),
                kernels=count(options.junit),
            ).save(options.results)
        all_checks = [Checks.load(path) for path in sorted(options.results.glob("checks-*.json"))]
    except (ValueError, OSError, ElementTree.ParseError) as error:
        print(f"benchmarks.status: {error}", file=sys.stderr)
        return 2
    (options.results / "STATUS.md").write_text(status_page(all_checks))
    return 0


if __name__ == "__main__":
    sys.exit(main())

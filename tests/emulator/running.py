"""Runs a workload in a process of its own, with a library of emulated kernels."""

from __future__ import annotations

import functools
import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass

from building import HERE, ROOT, Variant
from workloads import WORKLOADS


@dataclass(frozen=True)
class Outcome:
    """Whether a workload's results were right, and all that its process wrote."""

    right: bool
    said: str


def run_workload(name: str, library: pathlib.Path, variant: Variant, seed: int = 0) -> Outcome:
    environment = {
        **os.environ,
        "EBGAN_KERNELS_EMULATE_CUDA": str(library),
        "EMULATOR_SEED": str(seed),
        "EMULATOR_DEVICE": WORKLOADS[name].device,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "python"))),
        **(_preloaded() if variant == "sanitizers" else {}),
    }
    command = [sys.executable, str(HERE / "workloads.py"), name]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    return Outcome(result.returncode == 0, result.stdout + result.stderr)


@functools.cache
def _preloaded() -> dict[str, str]:
    """What Python needs to load a library with sanitizers, not being compiled for them; leaks are its own."""
    names = ("libasan.so", "libubsan.so")
    paths = [
        subprocess.run(
            ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
        ).stdout.strip()
        for name in names
    ]
    return {
        "LD_PRELOAD": " ".join(paths),
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }

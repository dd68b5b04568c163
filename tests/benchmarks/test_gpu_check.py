"""`scripts/gpu_check.sh` without a GPU: it says so; and its flow, with tools that do nothing."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

import pytest
import torch

from benchmarks.rows import ROOT
from ebgan_kernels.families import OPERATOR_FAMILIES


def gpu_check(*arguments: str | pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ROOT / "scripts" / "gpu_check.sh", *arguments],
        env={"PYTHON": sys.executable, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_without_a_device_it_fails_in_one_line_and_writes_no_results(tmp_path: pathlib.Path) -> None:
    done = gpu_check("abc123", tmp_path)
    assert done.returncode == 2
    assert done.stdout.count("\n") == 1
    assert "sees no CUDA device" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"log.txt"}


def test_without_commit_and_folder_it_says_how_to_call_it() -> None:
    done = gpu_check("abc123")
    assert done.returncode == 2
    assert done.stderr.startswith("usage:")


def test_every_stage_runs_and_the_script_ends(tmp_path: pathlib.Path) -> None:
    """Python, CMake and NVIDIA's tools are programs that succeed at once, in a tree of their own."""
    tools = tmp_path / "tools"
    for folder in ("scripts", "tools", "ebgan_kernels", "build/gpu_check/staging/ebgan_kernels"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "build/gpu_check/staging/ebgan_kernels/build.json").touch()
    shutil.copy(ROOT / "scripts" / "gpu_check.sh", tmp_path / "scripts")
    (tmp_path / "ebgan_kernels" / "__init__.py").touch()  # a package, before the one that is installed
    shutil.copy(ROOT / "ebgan_kernels" / "families.py", tmp_path / "ebgan_kernels")
    families = f'#!/bin/sh\ncase "$2" in *OPERATOR_FAMILIES*) exec {sys.executable} "$@" ;; esac\n'
    for name in ("python3", "cmake", "compute-sanitizer", "ncu"):
        (tools / name).write_text(families if name == "python3" else "#!/bin/sh\nexit 0\n")
        (tools / name).chmod(0o755)
    done = subprocess.run(
        [tmp_path / "scripts" / "gpu_check.sh", "abc123", tmp_path / "results", "60"],
        env={"PATH": f"{tools}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = done.stdout.rpartition("=== summary")[2].splitlines()[1:]
    assert len(summary) > 20 and all(line.endswith("ok") for line in summary)
    assert all(any(f"benchmark {family} " in line for line in summary) for family in OPERATOR_FAMILIES)
    assert (tmp_path / "ebgan_kernels" / "build.json").exists()

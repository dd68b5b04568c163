"""`scripts/gpu_check.sh` where it cannot run: it says so and pretends nothing."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
import torch

from benchmarks.rows import ROOT


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

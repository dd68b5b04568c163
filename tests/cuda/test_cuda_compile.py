"""CUDA sources without a GPU: for three generations of devices they compile without a warning or a spill."""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess

import pytest
import torch

CSRC = pathlib.Path(__file__).resolve().parents[2] / "csrc"
SOURCES = sorted((CSRC / "cuda").glob("*.cu"))
TARGETS = ("sm_80", "sm_90", "sm_100")


def _nvcc() -> str:
    candidates = [
        shutil.which("nvcc"),
        os.path.join(os.environ.get("CUDA_HOME", "/usr/local/cuda"), "bin/nvcc"),
    ]
    for candidate in candidates:
        if candidate and os.path.exists(candidate):
            return candidate
    if os.environ.get("EBGAN_KERNELS_CUDA") == "on":
        pytest.fail("EBGAN_KERNELS_CUDA=on, but there is no nvcc on PATH nor in CUDA_HOME")
    pytest.skip("no nvcc on PATH nor in CUDA_HOME")


def _compile(source: pathlib.Path, output: pathlib.Path) -> str:
    """The log of `ptxas -v` for every target; a warning is an error."""
    torch_headers = pathlib.Path(torch.__file__).parent / "include"
    command = [
        _nvcc(), "-std=c++20", "-O3", "--threads=2", "-c", str(source), "-o", str(output),
        "-Werror=all-warnings", "-Xptxas=-v,-warn-spills,-warn-lmem-usage",
        "-Xcompiler=-fPIC,-Wall,-Wextra,-Werror",
        *(f"-gencode=arch=compute_{target[3:]},code={target}" for target in TARGETS),
        "-DTORCH_TARGET_VERSION=0x020a000000000000", "-DUSE_CUDA",
        f"-I{CSRC}", "-isystem", str(torch_headers),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_kernels_keep_everything_in_registers(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    log = _compile(source, tmp_path / "object.o")
    compiled = re.findall(r"Compiling entry function '(\w+)' for '(\w+)'", log)
    memory = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", log)

    assert {target for _, target in compiled} == set(TARGETS)
    assert len(memory) >= len(compiled)
    assert set(memory) == {("0", "0", "0")}

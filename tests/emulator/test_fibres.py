"""The switch between fibres keeps what a function relies on, here and on aarch64 where qemu can run it."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest
from building import HERE, KERNELS

CROSS = ("aarch64-linux-gnu-g++", "qemu-aarch64")


@pytest.mark.parametrize("optimised", ["-O0", "-O2"])
@pytest.mark.parametrize("processor", ["own", "aarch64"])
def test_fibres_find_their_numbers_again(processor: str, optimised: str, tmp_path: pathlib.Path) -> None:
    if processor == "aarch64" and (missing := [name for name in CROSS if shutil.which(name) is None]):
        pytest.skip(f"needs {' and '.join(missing)} (Debian: g++-aarch64-linux-gnu, qemu-user)")
    compiler, emulator = ("c++", []) if processor == "own" else (CROSS[0], [CROSS[1]])
    program = tmp_path / "fibres"
    sources = [str(KERNELS / "fibres.cpp"), str(HERE / "runtime" / "fibre.cpp")]
    flags = ["-std=c++20", "-Wall", "-Wextra", "-Werror", "-static", f"-I{HERE / 'runtime'}", optimised]
    subprocess.run([compiler, *flags, *sources, "-o", str(program)], check=True)
    result = subprocess.run([*emulator, str(program)], capture_output=True, text=True, timeout=600)
    assert (result.returncode, result.stdout) == (0, "kept\n"), result.stderr

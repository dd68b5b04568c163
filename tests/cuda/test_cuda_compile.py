"""The build of the CUDA library refuses a kernel that keeps values outside of registers.

So what the build left was compiled without a warning or a spill, for every target in build.json.
"""

from __future__ import annotations

import json
import os
import pathlib
import shlex
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
KERNEL = """
__global__ void kernel(float* values, const int* places) {
  float kept[64];
  for (int i = 0; i < 64; ++i) kept[i] = values[i];
  for (int i = 0; i < 64; ++i) kept[%s] += places[i];
  for (int i = 0; i < 64; ++i) values[i] = kept[i];
}
"""


@pytest.fixture(scope="module")
def command() -> list[str]:
    """How the build compiles a source of the CUDA library, without the names of the source and the object."""
    builds = sorted(
        ROOT.glob("build/native-*/compile_commands.json"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for path in builds:
        for entry in json.loads(path.read_text()):
            words = shlex.split(entry["command"])
            if entry["file"].endswith(".cu") and "-Xptxas=-Werror" in words:
                return [*words[: words.index("-x")], "-x", "cu", "-c"]
    if os.environ.get("EBGAN_KERNELS_CUDA") == "on":
        pytest.fail(
            "EBGAN_KERNELS_CUDA=on, but no build of make, which refuses warnings, compiled the CUDA library"
        )
    pytest.skip("make has not built the CUDA library here")


@pytest.mark.parametrize(("place", "fails"), [("places[i] & 63", True), ("63 - i", False)])
def test_a_kernel_that_leaves_the_registers_fails_the_build(
    command: list[str], place: str, fails: bool, tmp_path: pathlib.Path
) -> None:
    source = tmp_path / "kernel.cu"
    source.write_text(KERNEL % place)
    ran = subprocess.run(
        [*command, source, "-o", tmp_path / "kernel.o"], capture_output=True, text=True, check=False
    )
    said = ran.stdout + ran.stderr
    assert (ran.returncode != 0, "Local memory used for function" in said) == (fails, fails), said

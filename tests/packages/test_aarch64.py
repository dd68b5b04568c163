"""The wheel for Arm of 64 bits, compiled here; what NEON does is run by qemu.

make test-aarch64 runs the operators, too.
"""

from __future__ import annotations

import io
import pathlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest

elffile = pytest.importorskip(
    "elftools.elf.elffile", reason="auditwheel brings it; make test-packages installs it"
)
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
from check_wheel import library_faults  # noqa: E402

Run = Callable[..., subprocess.CompletedProcess[str]]
GCC = "aarch64-linux-gnu-g++"

needs_compiler = pytest.mark.skipif(
    shutil.which(GCC) is None, reason="no compiler for Arm; apt-get install g++-aarch64-linux-gnu"
)


@needs_compiler
def test_a_wheel_for_arm_is_built_here(run: Run, checkout: pathlib.Path) -> None:
    run("make", "build/torch-aarch64/torch/version.py", f"VENV={sys.prefix}")
    target = {"EBGAN_KERNELS_TARGET": "aarch64", "EBGAN_KERNELS_GLIBC": "2.28"}
    run(sys.executable, "-m", "build", "--wheel", "--outdir", "build/arm", ".", **target)
    [wheel] = (checkout / "build" / "arm").glob("*.whl")
    assert wheel.name.endswith("-py3-none-manylinux_2_28_aarch64.whl")
    with zipfile.ZipFile(wheel) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
        assert libraries == ["ebgan_kernels/_C_cpu.so"]
        content = archive.read(libraries[0])
    assert elffile.ELFFile(io.BytesIO(content)).get_machine_arch() == "AArch64"
    assert list(library_faults(libraries[0], content, (2, 28))) == []


def test_for_arm_without_its_torch_the_build_says_what_fetches_it(run: Run, checkout: pathlib.Path) -> None:
    shutil.rmtree(checkout / "build" / "torch-aarch64", ignore_errors=True)
    failed = run(sys.executable, "-m", "build", "--wheel", ".", fails=True, EBGAN_KERNELS_TARGET="aarch64")
    assert (
        "no torch for aarch64 in build/torch-aarch64; make wheel-aarch64 fetches one"
        in failed.stdout + failed.stderr
    )


@needs_compiler
@pytest.mark.skipif(shutil.which("qemu-aarch64") is None, reason="no qemu; apt-get install qemu-user")
def test_neon_converts_vectors_as_single_elements_are_converted(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "conversions"
    source = pathlib.Path(__file__).with_name("conversions.cpp")
    flags = ("-static", "-std=c++20", "-O3", "-Wall", "-Wextra", "-Werror", "-DEBGAN_ISA=baseline")
    subprocess.run([GCC, *flags, f"-I{ROOT / 'csrc'}", str(source), "-o", str(program)], check=True)
    ran = subprocess.run(["qemu-aarch64", str(program)], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")

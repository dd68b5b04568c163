"""Installs as people do: each succeeds, or says what to do in one line; what is unchanged compiles once."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable

import pytest

from support.checkouts import tracked

Run = Callable[..., subprocess.CompletedProcess[str]]

PIP = ("pip", "install", "--verbose", "--no-deps", "--force-reinstall")
USE = "import os; os.chdir('/'); import ebgan_kernels, ebgan.host; assert ebgan.host.COMPILED"
IMPORT = ("python", "-c", USE)


def compiled(ran: subprocess.CompletedProcess[str]) -> int:
    return (ran.stdout + ran.stderr).count("Building CXX object")


def said(ran: subprocess.CompletedProcess[str]) -> list[str]:
    """What the build said for people."""
    lines = (line.strip() for line in (ran.stdout + ran.stderr).splitlines())
    return [line for line in lines if line.startswith("ebgan-kernels: ")]


def test_pip_installs_and_installs_again_without_compiling(run: Run) -> None:
    assert compiled(run(*PIP, ".")) > 0
    run(*IMPORT)
    assert compiled(run(*PIP, ".")) == 0
    run(*IMPORT)


def test_after_a_compiler_that_was_not_there_pip_installs(run: Run) -> None:
    failed = run(*PIP, ".", fails=True, CXX="/nonexistent")
    assert said(failed)[-1].endswith(
        "no working C++ compiler; install one (apt-get install g++), or set CXX to one"
    )
    run(*PIP, ".")
    run(*IMPORT)


def test_a_warning_ends_the_builds_of_make_alone(run: Run) -> None:
    flags = "-Wconversion -Wsign-conversion -Wold-style-cast -Wuseless-cast"  # more than the build asks for
    warned = run(*PIP, ".", CXXFLAGS=flags)
    assert "warning:" in warned.stdout + warned.stderr
    failed = run(*PIP, ".", fails=True, CXXFLAGS=flags, EBGAN_KERNELS_WARNINGS_FAIL="on")
    assert "[-Werror=" in failed.stdout + failed.stderr


def test_an_editable_install_is_compiled_once(run: Run, checkout: pathlib.Path) -> None:
    run(*PIP, "--editable", ".")
    assert (checkout / "ebgan_kernels" / "_C_cpu.so").is_file()
    assert compiled(run(*PIP, "--editable", ".")) == 0
    run(*IMPORT)


def test_uv_and_build_find_the_torch_of_the_environment_around_them(run: Run, checkout: pathlib.Path) -> None:
    assert compiled(run("uv", "pip", "install", "--verbose", "--no-deps", "--reinstall", ".")) == 0
    run(*IMPORT)
    run(sys.executable, "-m", "build", "--wheel", ".")
    [wheel] = (checkout / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata] = [name for name in names if name.endswith("/METADATA")]
        page = archive.read(metadata).decode()
    assert "ebgan_kernels/_C_cpu.so" in names and "ebgan_kernels/_C_cuda.so" not in names
    assert sum(name.startswith("ebgan/_host.cpython") for name in names) == 1
    assert "Project-URL: Source, https://" in page and "](docs/" not in page and "](benchmarks/" not in page


def test_the_source_distribution_holds_what_the_repository_holds(run: Run, checkout: pathlib.Path) -> None:
    run(sys.executable, "-m", "build", "--sdist", ".")
    [archive] = (checkout / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as files:
        held = {member.name.partition("/")[2] for member in files.getmembers() if member.isfile()}
    of_setuptools = {name for name in held if ".egg-info/" in name} | {"PKG-INFO", "setup.cfg"}
    expected = {name for name in tracked() if (checkout / name).exists()}
    assert held - of_setuptools == expected


@pytest.mark.parametrize(
    ("packages", "reason"),
    [
        (["setuptools==65.5.0", "wheel"], "setuptools 65.5.0 is too old; pip install 'setuptools>=77',"),
        (["setuptools>=77", "cmake", "ninja"], "pybind11 is not installed; pip install 'pybind11>=3.0',"),
    ],
)
def test_without_isolation_what_is_missing_is_named_in_one_line(
    run: Run, packages: list[str], reason: str
) -> None:
    run("pip", "install", *packages)
    failed = run(*PIP, "--no-build-isolation", ".", fails=True)
    assert any(reason in line for line in said(failed)) and "Traceback" not in failed.stdout + failed.stderr


def test_a_cuda_toolkit_that_is_insisted_on_and_broken_is_named_in_one_line(
    run: Run, tmp_path: pathlib.Path
) -> None:
    nvcc = tmp_path / "bin" / "nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text("#!/bin/sh\nexit 1\n")
    nvcc.chmod(0o755)
    failed = run(*PIP, ".", fails=True, EBGAN_KERNELS_CUDA="on", CUDA_HOME=str(tmp_path))
    reason = f"{nvcc} cannot compile; mend the CUDA toolkit, or set CUDA_HOME to another"
    assert said(failed)[-1].endswith(f"EBGAN_KERNELS_CUDA=on, but {reason}")

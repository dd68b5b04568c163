"""What is configured again and what afresh, and what a failure says: one line that stands alone."""

from __future__ import annotations

import os
import pathlib

import pytest

from cmake_build import configure, copy_changed, run_cmake
from errors import BuildError, reason_of

ERROR = """-- The CXX compiler identification is GNU 12.2.0
CMake Error at cmake/cuda.cmake:21 (message):
  ebgan-kernels: EBGAN_KERNELS_CUDA=on, but no nvcc on PATH nor in CUDA_HOME;
  install the CUDA toolkit and reinstall
"""
MESSAGE = (
    "EBGAN_KERNELS_CUDA=on, but no nvcc on PATH nor in CUDA_HOME; install the CUDA toolkit and reinstall"
)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (ERROR + "Call Stack (most recent call first):\n  CMakeLists.txt:88 (include)\n\n\n", MESSAGE),
        (ERROR + "\n\n-- Configuring incomplete, errors occurred!\n", MESSAGE),
        (
            "  Could not find the compiler specified in the environment variable CXX:\n\n  /nonexistent.\n\n",
            "no working C++ compiler; install one (apt-get install g++), or set CXX to one",
        ),
        (
            'The C++ compiler\n\n    "/usr/bin/false"\n\n  is not able to compile a simple test program.',
            "no working C++ compiler; install one (apt-get install g++), or set CXX to one",
        ),
        ("energy.cpp:1: error: ...", "the native build failed; the compiler's message is above"),
    ],
)
def test_the_reason_of_a_failure_is_one_line(output: str, reason: str) -> None:
    assert reason_of(output) == reason


@pytest.fixture
def cmake(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A program that writes down its arguments, and fails where CXX is "broken"."""
    program = tmp_path / "cmake"
    program.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nmkdir -p {tmp_path}/build\ntest "$CXX" != broken\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("CXX", "g++")
    return program


def afresh(cmake: pathlib.Path, *settings: str) -> bool:
    configure(str(cmake), cmake.parent / "build", list(settings))
    return "--fresh" in (cmake.parent / "calls").read_text().splitlines()[-1]


def test_an_unchanged_build_is_configured_again_and_a_changed_one_afresh(
    cmake: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [afresh(cmake, "-DA=1"), afresh(cmake, "-DA=1")] == [True, False]
    assert [afresh(cmake, "-DA=2"), afresh(cmake, "-DA=2")] == [True, False]
    monkeypatch.setenv("CXX", "clang++")
    assert [afresh(cmake, "-DA=2"), afresh(cmake, "-DA=2")] == [True, False]


def test_after_a_failed_try_the_build_is_configured_afresh(
    cmake: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert afresh(cmake)
    with monkeypatch.context() as broken:
        broken.setenv("CXX", "broken")
        with pytest.raises(BuildError, match="the native build failed"):
            afresh(cmake)
    assert [afresh(cmake), afresh(cmake)] == [True, False]


def test_ninja_is_named_anew_each_time(cmake: pathlib.Path) -> None:
    ninja = cmake.parent / "ninja"
    ninja.write_text("#!/bin/sh\n")
    ninja.chmod(0o755)
    afresh(cmake)
    assert f"-G Ninja -DCMAKE_MAKE_PROGRAM={ninja}" in (cmake.parent / "calls").read_text()


def test_a_program_that_fails_ends_the_build() -> None:
    run_cmake(["true"])
    with pytest.raises(BuildError, match="ebgan-kernels: the native build failed"):
        run_cmake(["false"])


def test_headers_that_did_not_change_keep_their_time(tmp_path: pathlib.Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    (source / "detail").mkdir(parents=True)
    (source / "detail" / "same.h").write_text("same")
    (source / "changes.h").write_text("old")
    copy_changed(source, copy)
    os.utime(copy / "detail" / "same.h", (1, 1))
    (source / "changes.h").write_text("new")
    (source / "detail" / "same.h").touch()
    copy_changed(source, copy)
    assert (copy / "detail" / "same.h").stat().st_mtime == 1
    assert (copy / "changes.h").read_text() == "new"

"""Drives CMake, which describes the native build (CMakeLists.txt). Nothing here imports torch.

The environment's torch is found without importing it, so that pip's build isolation works: torch is no build
requirement, which would fetch another one. Switches: EBGAN_KERNELS_CUDA=auto|on|off, TORCH_CUDA_ARCH_LIST,
CUDA_HOME, MAX_JOBS.
"""

from __future__ import annotations

import importlib.machinery
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
from typing import TYPE_CHECKING

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.editable_wheel import editable_wheel

if TYPE_CHECKING:
    from wheel.wheelfile import WheelFile

ROOT = pathlib.Path(__file__).resolve().parent


class BuildError(SystemExit):
    """One line for the person who installs."""

    def __init__(self, message: str) -> None:
        super().__init__(f"ebgan-kernels: {message}")


def torch_root() -> pathlib.Path:
    site_packages = sysconfig.get_path("purelib")
    spec = importlib.machinery.PathFinder.find_spec("torch", [site_packages, *sys.path])
    if spec is None or spec.origin is None:
        raise BuildError(
            f"no torch in {site_packages}; install it first (pip install 'torch>=2.10'),"
            " or, if it is installed elsewhere, use pip install --no-build-isolation"
        )
    return pathlib.Path(spec.origin).parent


class CMakeBuild(build_ext):
    """Builds everything at once and puts each product into the package it belongs to."""

    def run(self) -> None:
        cmake = shutil.which("cmake")
        if cmake is None:
            raise BuildError(
                "cmake is not on PATH; pip install cmake, or install without --no-build-isolation"
            )
        build = pathlib.Path(self.build_temp).resolve()
        staging = build / "staging"
        configure = [
            *(cmake, "-S", str(ROOT), "-B", str(build), *(["-G", "Ninja"] if shutil.which("ninja") else [])),
            f"-DCMAKE_INSTALL_PREFIX={staging}",
            f"-DTORCH_ROOT={torch_root()}",
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DEBGAN_KERNELS_CUDA={os.environ.get('EBGAN_KERNELS_CUDA', 'auto')}",
            f"-DEBGAN_CUDA_ARCHITECTURES={os.environ.get('TORCH_CUDA_ARCH_LIST', '')}",
            f"-Dpybind11_DIR={pybind11_directory()}",
        ]
        jobs = os.environ.get("MAX_JOBS") or str(os.cpu_count() or 1)
        shutil.rmtree(staging, ignore_errors=True)
        run_cmake(configure)
        run_cmake([cmake, "--build", str(build), "--parallel", jobs])
        run_cmake([cmake, "--install", str(build)])
        for product in sorted(staging.glob("*/*")):
            package = product.parent.name
            destination = self.package_folder(package)
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copy2(product, destination / product.name)

    def package_folder(self, package: str) -> pathlib.Path:
        if self.inplace or self.editable_mode:
            return ROOT / self.distribution.package_dir.get(package, package)
        return pathlib.Path(self.build_lib) / package


class PathsOfEditable:
    """What an editable wheel holds: a .pth file with the folders of the packages.

    Type checkers read such folders. The import hook that setuptools would install for packages in two folders
    is code, which mypy and pyright do not run.
    """

    def __enter__(self) -> PathsOfEditable:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, wheel: WheelFile, files: list[str], mapping: dict[str, str]) -> None:
        wheel.writestr("__editable__.ebgan_kernels.pth", f"{ROOT}\n{ROOT / 'python'}\n")


class EditableWheel(editable_wheel):
    """Editable installs that type checkers see; under a setuptools that does not ask for the strategy, the
    packages are imported just as well, by its hook.
    """

    def _select_strategy(self, *_: object) -> PathsOfEditable:
        return PathsOfEditable()


def pybind11_directory() -> str:
    import pybind11

    return pybind11.get_cmake_dir()


def run_cmake(command: list[str]) -> None:
    """Shows CMake's output as it comes; on failure repeats its error as the last line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    output = []
    for line in process.stdout:
        sys.stdout.write(line)
        output.append(line)
    if process.wait() != 0:
        raise BuildError(reason_of("".join(output)))


def reason_of(output: str) -> str:
    """What to do about a failed CMake run, in one line."""
    if "No CMAKE_CXX_COMPILER could be found" in output or (
        "C++ compiler" in output and "is not able to compile" in output
    ):
        return "no working C++ compiler; install one (apt-get install g++) or set CXX"
    marker = "ebgan-kernels: "
    if marker in output:
        after = output[output.rindex(marker) + len(marker) :]
        return " ".join(after.split("\n\n")[0].split())
    return "the native build failed; the compiler's message is above"


setup(
    ext_modules=[Extension("ebgan_kernels._C_cpu", sources=[])],
    cmdclass={"build_ext": CMakeBuild, "editable_wheel": EditableWheel},
)

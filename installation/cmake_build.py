"""Drives CMake, which describes the native build (CMakeLists.txt).

All builds of one Python share a folder, whatever started them, so that what has not changed is not compiled
again. A build front end's cmake, ninja and pybind11 lie in another temporary folder each time: ninja is named
anew, and the headers of pybind11 are copied. Whatever else may change what is compiled is written down beside
the build, and where it differs, or the last configuration failed, CMake starts afresh.
"""

from __future__ import annotations

import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import sys

from setuptools.command.build import build
from setuptools.command.build_ext import build_ext

from errors import BuildError, reason_of
from surroundings import ROOT, nvcc_folder, pybind11_include, pythons, required_torch_root, target, zig

COMPILERS = (
    "CC",
    "CXX",
    "CXXFLAGS",
    "LDFLAGS",
    "CUDACXX",
    "CUDAHOSTCXX",
    "CUDA_HOME",
    "CUDA_PATH",
)


class Build(build):
    """A build whose folder of the wheel's files holds none of an earlier one."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


class CMakeBuild(build_ext):
    """Builds everything at once and puts each product into the package it belongs to."""

    def run(self) -> None:
        cmake = shutil.which("cmake")
        if cmake is None:
            raise BuildError(
                "cmake is not on PATH; pip install cmake, or install without --no-build-isolation"
            )
        torch = required_torch_root()
        python = "all" if os.environ.get("EBGAN_KERNELS_PYTHONS") else sys.implementation.cache_tag
        folder = ROOT / "build" / f"native-{target() or python}"
        headers = folder / "pybind11"
        copy_changed(pybind11_include(), headers)
        staging = folder / "staging"
        settings = [
            f"-DCMAKE_INSTALL_PREFIX={staging}",
            f"-DTORCH_ROOT={torch}",
            f"-DEBGAN_KERNELS_CUDA={os.environ.get('EBGAN_KERNELS_CUDA', 'auto')}",
            f"-DEBGAN_CUDA_ARCHITECTURES={os.environ.get('TORCH_CUDA_ARCH_LIST', '')}",
            f"-DEBGAN_NVCC_FOLDER={nvcc_folder() or ''}",
            f"-DEBGAN_PYBIND11={headers}",
            f"-DEBGAN_PYTHONS={';'.join('|'.join(python) for python in pythons())}",
            f"-DEBGAN_WARNINGS_FAIL={os.environ.get('EBGAN_KERNELS_WARNINGS_FAIL', 'off')}",
            f"-DEBGAN_GLIBC={os.environ.get('EBGAN_KERNELS_GLIBC', '')}",
            f"-DEBGAN_ZIG={zig()}",
        ]
        if name := target():
            settings.append(f"-DCMAKE_TOOLCHAIN_FILE={ROOT / 'cmake' / name}.cmake")
        configure(cmake, folder, settings)
        shutil.rmtree(staging, ignore_errors=True)
        jobs = os.environ.get("MAX_JOBS") or str(os.cpu_count() or 1)
        run_cmake([cmake, "--build", str(folder), "--parallel", jobs])
        run_cmake([cmake, "--install", str(folder), "--strip"])
        (self.package_folder("ebgan_kernels") / "_C_cuda.so").unlink(missing_ok=True)  # of another build
        for product in sorted(staging.glob("*/*")):
            package = product.parent.name
            destination = self.package_folder(package)
            destination.mkdir(parents=True, exist_ok=True)
            shutil.copy2(product, destination / product.name)

    def package_folder(self, package: str) -> pathlib.Path:
        if self.inplace or self.editable_mode:
            return ROOT / self.distribution.package_dir.get(package, package)
        return pathlib.Path(self.build_lib) / package


def copy_changed(source: pathlib.Path, destination: pathlib.Path) -> None:
    """Copies files that differ, so that those that do not keep the time by which ninja knows them."""
    for path in sorted(source.rglob("*.h")):
        copy = destination / path.relative_to(source)
        if not (copy.is_file() and filecmp.cmp(path, copy, shallow=False)):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def configure(cmake: str, folder: pathlib.Path, settings: list[str]) -> None:
    ninja = shutil.which("ninja")
    generator = ["-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}"] if ninja else []
    known = folder / "configured.json"
    compilers = {name: os.environ.get(name) for name in COMPILERS}
    state = json.dumps([settings, generator[:2], compilers])
    fresh = [] if known.is_file() and known.read_text() == state else ["--fresh"]
    known.unlink(missing_ok=True)
    run_cmake([cmake, *fresh, "-S", str(ROOT), "-B", str(folder), *generator, *settings])
    known.write_text(state)


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

"""What the build takes from the machine: torch, pybind11, nvcc and the Pythons. Nothing is imported of torch.

A build front end may run the build in an environment of its own, in which there is no torch. The headers and
libraries of any torch from 2.10 on make the same libraries, so that of the environment outside is taken: pip
keeps its site-packages, other front ends keep its folder of programs on PATH.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator

from errors import BuildError

ROOT = pathlib.Path(__file__).resolve().parents[1]
OLDEST_TORCH = (2, 10)
TARGETS = ("aarch64",)
ASK = (
    "import json, sys, sysconfig as s; print(json.dumps("
    "[sys.version_info[:2], s.get_path('include'), s.get_config_var('EXT_SUFFIX')]))"
)


def target() -> str | None:
    """The architecture that EBGAN_KERNELS_TARGET names instead of this machine's, or None."""
    name = os.environ.get("EBGAN_KERNELS_TARGET") or None
    if name not in (None, *TARGETS):
        raise BuildError(f"EBGAN_KERNELS_TARGET is {name}; it must be {' or '.join(TARGETS)}, or unset")
    return name


def _site_packages() -> Iterator[pathlib.Path]:
    yield from (pathlib.Path(entry) for entry in (sysconfig.get_path("purelib"), *sys.path))
    for folder in [*os.environ.get("PATH", "").split(os.pathsep), ROOT / ".venv" / "bin"]:
        yield from sorted(pathlib.Path(folder).parent.glob("lib/python3*/site-packages"), reverse=True)


def torch_root() -> pathlib.Path | None:
    """The installed package torch; None where there is none. One that is too old ends the build."""
    name = target()
    for folder in [ROOT / "build" / f"torch-{name}"] if name else _site_packages():
        version = folder / "torch" / "version.py"
        if version.is_file():
            found = re.search(r"__version__ = ['\"](\d+)\.(\d+)", version.read_text())
            if found is None or tuple(map(int, found.groups())) < OLDEST_TORCH:
                raise BuildError(
                    f"torch in {folder} is older than {'.'.join(map(str, OLDEST_TORCH))};"
                    " pip install --upgrade torch"
                )
            return version.parent
    return None


def required_torch_root() -> pathlib.Path:
    root = torch_root()
    if root is None and (name := target()):
        raise BuildError(f"no torch for {name} in build/torch-{name}; make wheel-{name} fetches one")
    if root is None:
        raise BuildError(
            "no torch in this environment; pip install 'torch>=2.10', or install without"
            " --no-build-isolation, which fetches one for the build"
        )
    return root


def pybind11_include() -> pathlib.Path:
    try:
        import pybind11
    except ImportError:
        raise BuildError(
            "pybind11 is not installed; pip install 'pybind11>=3.0', or install without --no-build-isolation"
        ) from None
    return pathlib.Path(pybind11.get_include())


def nvcc_folder() -> pathlib.Path | None:
    """Where the package nvidia-cuda-nvcc put nvcc; None where it is not installed."""
    for folder in _site_packages():
        for nvcc in sorted(folder.glob("nvidia/cu*/bin/nvcc"), reverse=True):
            return nvcc.parent
    return None


def zig() -> str:
    """The program of the package ziglang, else the one on PATH, else ""."""
    for folder in _site_packages():
        program = folder / "ziglang" / "zig"
        if program.is_file():
            return str(program)
    return shutil.which("zig") or ""


def pythons() -> list[tuple[str, str]]:
    """The folder of headers, and the ending of extension modules, of each Python that ``_host`` is built for.

    These are the Python that runs the build, or those that EBGAN_KERNELS_PYTHONS names, for a wheel of all.
    There are none for another architecture, whose Pythons do not run here.
    """
    if target():
        return []
    named = os.environ.get("EBGAN_KERNELS_PYTHONS", "").split()
    found = []
    for interpreter in named or [sys.executable]:
        try:
            told = subprocess.run([interpreter, "-c", ASK], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise BuildError(
                f"EBGAN_KERNELS_PYTHONS names {interpreter}, which does not run; name interpreters, separated"
                " by spaces"
            ) from None
        version, include, suffix = json.loads(told.stdout)
        if not (pathlib.Path(include) / "Python.h").is_file():
            raise BuildError(
                f"{include} holds no Python.h; install the headers of Python {version[0]}.{version[1]}"
                " (apt-get install python3-dev)"
            )
        found.append((include, suffix))
    return found

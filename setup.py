"""The package, by setuptools; pyproject.toml describes it, and installation/ drives CMake.

Switches: EBGAN_KERNELS_CUDA=auto|on|off, TORCH_CUDA_ARCH_LIST, CUDA_HOME, CXX, MAX_JOBS; for a wheel that
serves every Python and older systems, EBGAN_KERNELS_PYTHONS and EBGAN_KERNELS_GLIBC (make wheel); for one of
another architecture, EBGAN_KERNELS_TARGET=aarch64 (make wheel-aarch64). make sets
EBGAN_KERNELS_WARNINGS_FAIL=on, since a warning of a user's own compiler need not stop an installation.
"""

from __future__ import annotations

import pathlib
import re
import sys

import setuptools

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "installation"))

from errors import BuildError  # noqa: E402

OLDEST_SETUPTOOLS = 77
if int(setuptools.__version__.split(".")[0]) < OLDEST_SETUPTOOLS:
    raise BuildError(
        f"setuptools {setuptools.__version__} is too old; pip install 'setuptools>={OLDEST_SETUPTOOLS}',"
        " or install without --no-build-isolation"
    )

from cmake_build import Build, CMakeBuild  # noqa: E402
from wheels import EditableWheel, Wheel, absolute_links  # noqa: E402


def found(pattern: str, file: str) -> str:
    match = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert match is not None, f"{file} holds no {pattern}"
    return match[1]


version = found(r'^__version__ = "(.*)"', "ebgan_kernels/version.py")
source = found(r'^Source = "(.*)"', "pyproject.toml")

setuptools.setup(
    long_description=absolute_links((ROOT / "README.md").read_text(), source, version),
    long_description_content_type="text/markdown",
    ext_modules=[setuptools.Extension("ebgan_kernels._C_cpu", sources=[])],
    cmdclass={
        "build": Build,
        "build_ext": CMakeBuild,
        "editable_wheel": EditableWheel,
        "bdist_wheel": Wheel,
    },
)

"""setuptools' build backend, which also asks for what the machine lacks.

torch is a requirement of the build only where no environment around it has one, since it takes gigabytes.
nvcc is one only where the CUDA library is insisted on and there is no toolkit.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403  # the hooks of a build backend

from surroundings import nvcc_folder, target, torch_root

# The parts of the CUDA toolkit that compile csrc/cuda. The oldest torch for CUDA 13 takes 13.0.
CUDA_TOOLKIT = [
    f"nvidia-{part}~=13.0.0" for part in ("cuda-nvcc", "cuda-crt", "nvvm", "cuda-runtime", "cuda-cccl")
]


def _missing() -> list[str]:
    missing = [] if torch_root() or target() else ["torch>=2.10"]
    insisted = os.environ.get("EBGAN_KERNELS_CUDA", "").lower() == "on"
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH") or "/usr/local/cuda"
    has_nvcc = shutil.which("nvcc") or os.path.isfile(os.path.join(home, "bin", "nvcc")) or nvcc_folder()
    return missing + ([] if has_nvcc or not insisted else CUDA_TOOLKIT)


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    return build_meta.get_requires_for_build_wheel(config_settings) + _missing()


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    return build_meta.get_requires_for_build_editable(config_settings) + _missing()

"""The compiled CUDA library without a GPU: of torch it needs stable C functions alone; what it registers."""

from __future__ import annotations

import importlib
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import ebgan_kernels
from ebgan_kernels.backends import OPERATOR_FAMILIES

LIBRARY = pathlib.Path(ebgan_kernels.__file__).parent / "_C_cuda.so"
FAMILIES = (*OPERATOR_FAMILIES, "gradient")

# What a CPU build of torch lacks, so that the library can be loaded under one; none of it is called.
CUDA_FUNCTIONS = """
int aoti_torch_get_current_cuda_stream(int device, void** stream) { return 1; }
int torch_c10_cuda_check_msg(int error, const char* file, const char* function, unsigned line, _Bool check,
                             char** text) { return 1; }
void torch_c10_cuda_free_error_msg(char* text) {}
"""

LOAD = """
import ctypes, sys, torch
import ebgan_kernels
if torch.version.cuda is None:
    ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
    torch.ops.load_library(sys.argv[2])
missing = [name for name in sys.argv[3:]
           if not torch._C._dispatch_has_kernel_for_dispatch_key(f"ebgan_kernels::{name}", "CUDA")]
sys.exit(f"not registered: {missing}" if missing else 0)
"""


@pytest.fixture(scope="module", autouse=True)
def _library() -> None:
    if LIBRARY.is_file():
        return
    if os.environ.get("EBGAN_KERNELS_CUDA") == "on":
        pytest.fail(f"EBGAN_KERNELS_CUDA=on, but the build left no {LIBRARY}")
    pytest.skip(f"the CUDA library was not built ({LIBRARY.name} is not there)")


def _undefined_symbols() -> list[str]:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("no nm (binutils) on PATH")
    listing = subprocess.run(
        [nm, "-D", "--undefined-only", LIBRARY], capture_output=True, text=True, check=True
    )
    return [line.split()[-1] for line in listing.stdout.splitlines()]


def test_of_torch_only_stable_c_functions_are_needed() -> None:
    symbols = _undefined_symbols()
    assert any(symbol.startswith("aoti_torch_") for symbol in symbols)
    unstable = [
        s for s in symbols if "c10" in s.replace("torch_c10_cuda_", "") or "at6Tensor" in s or "3aten" in s
    ]
    unstable += [s for s in symbols if s.startswith("_ZN") and ("torch" in s or "2at" in s)]
    assert not unstable


def test_the_cuda_runtime_is_inside() -> None:
    symbols = _undefined_symbols()
    assert not [s for s in symbols if s.startswith(("cuda", "cuLaunch", "__cuda"))]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_operator_is_registered_for_cuda(family: str, tmp_path: pathlib.Path) -> None:
    # Those without a fake kernel are of the CPU library alone.
    operators = list(importlib.import_module(f"ebgan_kernels.native.{family}").FAKES)
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler (cc) on PATH")
    source, functions = tmp_path / "functions.c", tmp_path / "functions.so"
    source.write_text(CUDA_FUNCTIONS)
    subprocess.run([compiler, "-shared", "-fPIC", source, "-o", functions], check=True)

    command = [sys.executable, "-c", LOAD, functions, LIBRARY, *operators]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr

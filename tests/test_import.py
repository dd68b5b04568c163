"""`import ebgan_kernels` needs torch and numpy alone and does no work; the report says what is missing."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[1] / "ebgan_kernels"
EXTRAS = (
    "triton",
    "tyro",
    "tqdm",
    "safetensors",
    "tensorboard",
    "matplotlib",
    "PIL",
    "sklearn",
    "pytest",
    "ebgan",
)
USE = """
import torch, ebgan_kernels as ek
x, image = torch.zeros(2, 3).requires_grad_(), torch.ones(2, 3)
ek.discriminator_loss(x, image, x * 2, image, margin=9.0).loss.backward()
assert x.grad.any()
print(ek.backend_report())
"""


def python(*arguments: str, directory: pathlib.Path) -> str:
    """What a fresh interpreter prints that finds the package in `directory`; it must exit with 0."""
    hidden = ("PYTHONPATH", "EBGAN_KERNELS_BACKEND", "TRITON_INTERPRET")
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    command = [sys.executable, *arguments]
    run = subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def uncompiled(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory that holds the package as it is without a compiler."""
    ignored = shutil.ignore_patterns("*.so", "build.json", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "ebgan_kernels", ignore=ignored)
    return tmp_path


def without(*modules: str) -> str:
    return f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"


def test_losses_work_without_the_compiled_libraries(uncompiled: pathlib.Path) -> None:
    report = python("-c", USE, directory=uncompiled)
    assert "cpu        missing: not compiled (_C_cpu.so is not in" in report
    assert "reinstall with a C++ compiler" in report


def test_losses_work_without_triton_and_without_the_training_extras(uncompiled: pathlib.Path) -> None:
    report = python("-c", without(*EXTRAS) + USE, directory=uncompiled)
    assert "triton     missing: triton cannot be imported" in report and "pip install triton" in report


def test_a_library_that_does_not_load_is_reported_and_not_fatal(uncompiled: pathlib.Path) -> None:
    (uncompiled / "ebgan_kernels" / "_C_cpu.so").write_bytes(b"not a shared library")
    report = python("-c", USE, directory=uncompiled)
    assert "cpu        missing: _C_cpu.so does not load: " in report and "reinstall" in report


def test_importing_imports_neither_triton_nor_the_compiler_and_starts_no_cuda() -> None:
    loaded = "[name for name in ('triton', 'torch._dynamo') if name in sys.modules]"  # seconds each
    code = f"import sys, ebgan_kernels, torch; print({loaded}, torch.cuda.is_initialized())"
    assert python("-c", code, directory=PACKAGE.parent).strip() == "[] False"


def test_the_module_prints_the_report(uncompiled: pathlib.Path) -> None:
    for directory in (PACKAGE.parent, uncompiled):
        lines = python("-m", "ebgan_kernels", directory=directory).splitlines()
        names = [line.split()[0] for line in lines[1:5]]
        assert names == ["reference", "cpu", "cuda", "triton"]
        assert all(": " in line for line in lines[1:5])


def test_no_folder_of_tests_is_imported_for_a_package_that_is_missing() -> None:
    # pytest puts tests/ on the path, where Python takes a folder for a package, if no other has its name.
    folders = {path.name for path in pathlib.Path(__file__).parent.iterdir() if path.is_dir()}
    assert not folders & set(packages_distributions())

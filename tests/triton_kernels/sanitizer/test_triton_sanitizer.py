"""The check of bounds finds what is planted in copies of kernels, and nothing in the kernels as they are."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import ebgan_kernels

pytest.importorskip("triton_viz", reason="of the extra `sanitize`: make test-sanitizers-triton")

CHECK = pathlib.Path(__file__).parent / "check.py"
KERNELS = "ebgan_kernels/triton/energy_kernels.py"
LAUNCH = """
import torch
import ebgan_kernels as ek

def test_two_batches_of_one_block_a_sample_and_of_several():
    for elements in (100, 9000):
        images = [torch.rand(2, elements, dtype=torch.float64).requires_grad_() for _ in range(4)]
        with ek.backend("triton"):
            ek.discriminator_loss(*images, margin=1.0).loss.backward()
"""


@pytest.fixture
def copy(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with a copy of the package, and a test that launches kernels of it."""
    package = pathlib.Path(ebgan_kernels.__file__).parent
    shutil.copytree(package, tmp_path / "ebgan_kernels", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "test_launch.py").write_text(LAUNCH)
    return tmp_path


def checked(folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CHECK), str(folder / "test_launch.py")],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
    )


def test_the_kernels_as_they_are_give_no_report(copy: pathlib.Path) -> None:
    result = checked(copy)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 reports" in result.stdout and "whole_samples" in result.stdout


@pytest.mark.parametrize(
    ("right", "wrong", "report"),
    [
        (
            "mask = lanes < pair.elements\n",
            "mask = lanes <= pair.elements\n",
            "in _load_residual a load may leave second.target",
        ),
        (  # in an else, which is entered by the programs of the second batch
            "_whole_sample(second, sample - first.batch,",
            "_whole_sample(second, sample,",
            "in _whole_sample a store may leave second.energy",
        ),
        (  # in a loop, after a branch on the program
            "lanes < pair.elements - start)",
            "lanes <= pair.elements - start)",
            "in _load_residual a load may leave first.reconstruction",
        ),
        (
            "tl.store(partials + program, total)",
            "tl.store(partials + program, total.no_such_thing)",
            "partial_sums could not be checked",
        ),
    ],
)
def test_a_planted_defect_is_reported_with_its_place_and_tensor(
    right: str, wrong: str, report: str, copy: pathlib.Path
) -> None:
    source = copy / KERNELS
    before = source.read_text()
    assert before.count(right) == 1
    source.write_text(before.replace(right, wrong))
    result = checked(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert report in result.stdout and (KERNELS in result.stdout or "could not" in report)

"""Every script in examples/ runs, for a few steps, and prints what a person can check."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image

from support.image_files import encoded

pytestmark = pytest.mark.slow
EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
ENERGIES = r"real \d+\.\d\d, fake \d+\.\d\d"
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run(
    name: str,
    folder: pathlib.Path,
    *arguments: str,
    replaced: Mapping[str, str],
    launcher: tuple[str, ...] = (),
) -> list[str]:
    """The lines that an example prints, run in `folder` with parts of its source replaced to be quick."""
    source = (EXAMPLES / f"{name}.py").read_text()
    assert 25 <= len(source.splitlines()) <= 65
    for old, new in replaced.items():
        assert old in source
        source = source.replace(old, new)
    (folder / f"{name}.py").write_text(source)
    command = [sys.executable, *launcher, f"{name}.py", *arguments]
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "/ebgan" not in done.stderr, done.stderr  # no warning comes from these packages
    return done.stdout.splitlines()


def matches(lines: list[str], *patterns: str) -> None:
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_every_example_has_a_test() -> None:
    tested = set(re.findall(r'run\(\s*"(\w+)"', pathlib.Path(__file__).read_text()))
    assert {path.stem for path in EXAMPLES.glob("*.py")} == tested


def test_the_bare_loop(tmp_path: pathlib.Path) -> None:
    lines = run("bare_loop", tmp_path, replaced={"range(1, 501)": "range(1, 101)"})
    matches(lines, f"step 100: {ENERGIES}")
    assert (tmp_path / "generator.pt").is_file()


def test_two_processes_end_with_equal_weights(tmp_path: pathlib.Path) -> None:
    lines = run("ddp", tmp_path, replaced={"range(1, 101)": "range(1, 51)"}, launcher=TORCHRUN)
    matches(lines, f"step 50: {ENERGIES}", "2 processes, equal weights: True")


def test_lightning(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("lightning", reason="lightning is not installed, and no extra brings it")
    lines = run("lightning_module", tmp_path, replaced={"max_epochs=10": "max_epochs=1"})
    assert re.fullmatch(ENERGIES, lines[-1])


def test_without_lightning_the_example_says_what_to_install(tmp_path: pathlib.Path) -> None:
    (tmp_path / "lightning.py").write_text("raise ModuleNotFoundError('lightning')")
    command = [sys.executable, EXAMPLES / "lightning_module.py"]
    variables = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "this example needs Lightning: pip install lightning\n"


def test_a_compiled_step_is_compiled_once_for_all_margins(tmp_path: pathlib.Path) -> None:
    source = {"range(1, 101)": "range(1, 51)", "fullgraph=True)": 'fullgraph=True, backend="aot_eager")'}
    lines = run("compiled", tmp_path, replaced=source)
    matches(lines, f"step 50: margin 2.50, {ENERGIES}", "graphs compiled: 2")


def test_the_video_loop(tmp_path: pathlib.Path) -> None:
    replaced = {"range(1, 61)": "range(1, 21)", "width=0.5": "width=0.1"}
    decibels = r"\d\d\.\d\d dB"
    matches(
        run("video_loop", tmp_path, replaced=replaced),
        r"step 20: loss \d\.\d{3}",
        f"PSNR of the network: {decibels}",
        f"PSNR of the copy of the last frame: {decibels}",
    )


def test_own_images(tmp_path: pathlib.Path) -> None:
    random, formats = np.random.default_rng(0), ("PNG", "JPEG", "WEBP")
    (tmp_path / "photographs").mkdir()
    for index in range(9):
        image = Image.fromarray(random.integers(0, 256, (70 + index, 80, 3), np.uint8))
        file = tmp_path / "photographs" / f"{index}.{formats[index % 3].lower()}"
        file.write_bytes(encoded(image, formats[index % 3]))
    replaced = {"width=128": "width=16", "width=8)": "width=2)", "batch_size=32": "batch_size=8"}
    lines = run("own_images", tmp_path, "photographs", "2", replaced=replaced)
    matches(lines, f"step 1: {ENERGIES}", f"step 2: {ENERGIES}")
    assert np.asarray(Image.open(tmp_path / "own_images.png")).shape == (2 * 72 + 8, 8 * 72 + 8, 3)
    command = [sys.executable, EXAMPLES / "own_images.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.startswith("which images? python examples/own_images.py")

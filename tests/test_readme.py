"""What the README shows runs, and reads well in a terminal."""

from __future__ import annotations

import inspect
import pathlib
import re
import subprocess
import sys

import ebgan_kernels as ek

README = (pathlib.Path(__file__).parents[1] / "README.md").read_text()


def test_the_training_script_runs(tmp_path: pathlib.Path) -> None:
    (script,) = re.findall(r"```python\n(import torch\n.*?)```", README, flags=re.DOTALL)
    assert script.count("range(1, 501)") == 1 and len(script.splitlines()) <= 27
    command = [sys.executable, "-c", script.replace("range(1, 501)", "range(1, 101)")]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    assert ran.stdout.startswith("step 100: real ")
    assert (tmp_path / "generator.pt").is_file()


def test_signatures_are_those_of_the_functions() -> None:
    shown = re.findall(r"^\| `(\w+)\((.*?)\)` \|", README, flags=re.MULTILINE)
    assert len(shown) >= 14
    for name, parameters in shown:
        signature = inspect.signature(getattr(ek, name)).parameters.values()
        keywords = [p.name for p in signature if p.kind is inspect.Parameter.KEYWORD_ONLY]
        named = [parameter.split("=")[0].strip() for parameter in parameters.split(",")]
        expected = [p.name for p in signature if p.name not in keywords]
        assert named == [*expected, *(["*", *keywords] if keywords else [])], name


def test_no_line_outside_of_tables_is_longer_than_a_screen() -> None:
    long = [line for line in README.splitlines() if len(line) > 125 and not line.startswith("|")]
    assert not long

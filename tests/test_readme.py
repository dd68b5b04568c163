"""What the README shows runs, and reads well in a terminal."""

from __future__ import annotations

import inspect
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

import ebgan
import ebgan_kernels as ek

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SCRIPTS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def script_with(words: str) -> str:
    (script,) = [script for script in SCRIPTS if words in script]
    return script


def test_the_training_script_runs_and_is_the_first_example(tmp_path: pathlib.Path) -> None:
    script = script_with("range(1, 501)")
    assert len(script.splitlines()) <= 27
    assert (ROOT / "examples" / "bare_loop.py").read_text().endswith(f'"""\n\n{script}')
    command = [sys.executable, "-c", script.replace("range(1, 501)", "range(1, 101)")]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    assert ran.stdout.startswith("step 100: real ")
    assert (tmp_path / "generator.pt").is_file()


def test_the_lines_that_replace_a_ports_fit_the_discriminators_of_the_package() -> None:
    script = script_with("# before: energy")
    for name in ("digits", "mnist"):
        shape = (4, *ebgan.gan.image_shape(name))
        real, fake = torch.rand(shape), torch.rand(shape, requires_grad=True)
        given = {"torch": torch, "F": F, "margin": 1.0, "D": ebgan.gan.discriminator(name)}
        names: dict[str, Any] = {**given, "real": real, "fake": fake}
        exec(script, names)
        names["g_loss"].backward()
        assert fake.grad is not None and names["d_loss"].ndim == 0 and names["real_energy"].shape == (4,)
        with_codes = ek.generator_loss(names["of_fake"], fake, codes=names["codes"])
        assert with_codes > names["g_loss"]


def test_the_scores_run(tmp_path: pathlib.Path) -> None:
    command = [sys.executable, "-c", script_with("load_network")]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    starts = [line.split()[0].split("(")[0] for line in ran.stdout.splitlines()]
    assert starts == ["I'", "KID", "PSNR", "SSIM", "sharpness"]


def test_every_dotted_name_is_there_after_the_import_of_its_package_alone() -> None:
    pages = [(ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md")]
    code = [text for page in pages for text in re.findall(r"```.*?```|`[^`]+`", page, flags=re.DOTALL)]
    dotted = {name for text in code for name in re.findall(r"(?<![\w/.])ebgan(?:_kernels)?(?:\.\w+)+", text)}
    assert {"ebgan.gan.generator", "ebgan.video.psnr", "ebgan_kernels.backend"} <= dotted
    names = sorted(name for name in dotted if not name.endswith(".py"))
    script = f"import ebgan, ebgan_kernels\nfor name in {names}: eval(name)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr


def function_called(name: str) -> Callable[..., object]:
    return eval(name, {"ebgan": ebgan}) if "." in name else getattr(ek, name)


def test_signatures_are_those_of_the_functions() -> None:
    shown = re.findall(r"^\| `([\w.]+)\((.*?)\)` \|", README, flags=re.MULTILINE)
    assert len(shown) >= 20
    for name, parameters in shown:
        signature = inspect.signature(function_called(name)).parameters.values()
        keywords = [p.name for p in signature if p.kind is inspect.Parameter.KEYWORD_ONLY]
        named = [parameter.split("=")[0].strip() for parameter in parameters.split(",")]
        expected = [p.name for p in signature if p.name not in keywords]
        assert named == [*expected, *(["*", *keywords] if keywords else [])], name
        defaults = dict(re.findall(r"(\w+)=([^,]+)", parameters))
        values = {p.name: p.default for p in signature if p.default is not inspect.Parameter.empty}
        assert {key: eval(value) for key, value in defaults.items()} == values, name


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py")} <= set(links)


def test_no_line_outside_of_tables_is_longer_than_a_screen() -> None:
    long = [line for line in README.splitlines() if len(line) > 125 and not line.startswith("|")]
    assert not long

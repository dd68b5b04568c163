"""A type checker outside of the checkout sees the installed packages, and knows what their modules give."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

SCRIPT = """
import torch
import ebgan
import ebgan.gan
import ebgan_kernels as ek

x = torch.zeros(2, 1, 8, 8)
loss = ek.EBGANDiscriminatorLoss(margin=10)
loss.margin = 7.0
reveal_type(loss.margin)  # Tensor
reveal_type(loss(x, x, fake_reconstruction=x, fake=x))  # DiscriminatorLoss
reveal_type(ek.HingeMarginLoss(10.0)(x, x))  # Tensor
reveal_type(ek.EBGANGeneratorLoss()(x, x, codes=x))  # Tensor
reveal_type(ek.MultiscalePredictionLoss()([x], x))  # Tensor
reveal_type(ek.ValidConv2d(1, 1, 3)(x))  # Tensor
reveal_type(ek.MultiscaleValidConv2d([1], [1], [3])([x]))  # list[Tensor]
reveal_type(ek.GaussianCombinator(3)(x, x))  # Tensor
reveal_type(ek.discriminator_loss(x, x, x, x, margin=10.0).loss)  # Tensor
reveal_type(ebgan.gan.generator("digits")(x))  # Tensor
reveal_type(ebgan.gan.discriminator("digits")(x))  # AutoEncoded
reveal_type(ebgan.gan.discriminator("digits")(x).codes)  # Tensor
reveal_type(ebgan.gan.classifier("digits")(x))  # Tensor
reveal_type(ebgan.video.generator("8to8")([x]))  # list[Tensor]
reveal_type(ebgan.video.discriminator("8to8")([x], [x]))  # Tensor
reveal_type(ebgan.ladder.network("full")(x))  # Tensor
reveal_type(ebgan.ladder.generator()(x))  # Tensor
reveal_type(ebgan.__version__)  # str
ek.HingeMarginLoss(10.0)(x)  # error: Too few arguments
ek.HingeMarginLoss(10.0)(1.0, x)  # error: Argument 1 has incompatible type "float"
ebgan.nothing  # error: Module has no attribute "nothing"
"""


def without_paths() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}


@pytest.mark.slow
def test_mypy_knows_what_a_call_of_a_module_gives(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("mypy", reason="mypy is not installed; it comes with the extra lint")
    found = [sys.executable, "-c", "import ebgan_kernels, ebgan"]
    if subprocess.run(found, cwd=tmp_path, env=without_paths(), capture_output=True).returncode:
        pytest.skip("the packages are not installed in this environment")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "mypy", "script.py"]
    run = subprocess.run(command, cwd=tmp_path, env=without_paths(), capture_output=True, text=True)
    said = {
        int(line): " ".join(text.replace("torch._tensor.", "").split())
        for line, text in re.findall(r"^script\.py:(\d+): (.*)$", run.stdout, re.MULTILINE)
        if "instance variable" not in text
    }
    expected = {
        number: line.split("  # ")[1] for number, line in enumerate(SCRIPT.splitlines(), 1) if "  # " in line
    }
    assert list(said) == list(expected), run.stdout + run.stderr
    for number, words in expected.items():
        if words.startswith("error: "):
            assert said[number].startswith(words), said[number]
        else:
            assert f'Revealed type is "{words}' in said[number] or f".{words}]" in said[number], said[number]

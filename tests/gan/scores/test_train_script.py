from __future__ import annotations

import hashlib
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load

from ebgan.gan.scores import NETWORKS

SCRIPT = Path(__file__).parents[3] / "scripts" / "train_score_network.py"
main = runpy.run_path(str(SCRIPT))["main"]


@pytest.fixture
def photographs(tmp_path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(10):
        pixels = random.integers(0, 256, (80, 80, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def test_training_writes_weights_of_the_network_the_same_bits_each_time(photographs, tmp_path, capsys):
    files = [tmp_path / name for name in ("first.safetensors", "second.safetensors")]
    for file in files:
        assert main(["images", "--data-root", str(photographs), "--out", str(file), "--steps", "3"]) == 0
    content = files[0].read_bytes()
    assert content == files[1].read_bytes()
    printed = capsys.readouterr().out
    assert hashlib.sha256(content).hexdigest() in printed and "accuracy on 8 held-out images" in printed
    NETWORKS["images"].build().load_state_dict(load(content))


@pytest.mark.parametrize(
    ("options", "message"),
    [("--data-root nowhere", "nowhere"), ("--data-root {photographs} --steps 1", "steps: got 1")],
)
def test_wrong_input_is_one_line_and_writes_nothing(photographs, tmp_path, capsys, options, message):
    out = tmp_path / "weights.safetensors"
    assert main(["images", "--out", str(out), *options.format(photographs=photographs).split()]) == 2
    error = capsys.readouterr().err
    assert error.startswith("train_score_network: ") and error.count("\n") == 1 and message in error
    assert not out.exists()

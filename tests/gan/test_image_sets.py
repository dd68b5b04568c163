"""The presets of image sets with nets of their channels: drawn characters, and faces in grey."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.cli import main
from ebgan.data.sprites import PARTS
from ebgan.gan import image_shape, preset

SMALL = "--generator-width 16 --discriminator-width 16 --batch-size 4 --steps 2 --log-every 1 --threads 1"


def sprites(root: Path) -> None:
    """Sheets on which each part is a band of a colour of its own."""
    for layer, part in enumerate(PARTS):
        for number in range(2):
            sheet = np.zeros((21, 64, 13, 64, 4), np.uint8)
            sheet[:, 12 + 10 * layer : 22 + 10 * layer] = (40 * number, 60 * layer, 99, 255)
            path = root / "sprites" / part / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(sheet.reshape(21 * 64, 13 * 64, 4)).save(path)


def yale_b(root: Path) -> None:
    """Pictures of two people under five lights, of noise."""
    random = np.random.default_rng(0)
    (root / "yale-b").mkdir()
    for person in (1, 2):
        for light in range(5):
            pixels = random.integers(0, 256, (24, 21), np.uint8)
            path = root / "yale-b" / f"yaleB{person:02}_P00A+00{light}E+00.pgm"
            path.write_bytes(b"P5\n21 24\n255\n" + pixels.tobytes())


@pytest.mark.slow
@pytest.mark.parametrize(("data", "made"), [("sprites", sprites), ("yale-b", yale_b)])
def test_a_set_trains_and_is_scored_by_its_preset(data: str, made, tmp_path: Path, monkeypatch, capfd):
    monkeypatch.setattr("ebgan.data.sprites.SHEETS", 2)  # 16 characters instead of 1,296
    monkeypatch.setattr("ebgan.data.sprites.HELD_OUT", 4)
    made(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path))
    assert main(["train", "gan", "--data", data, *SMALL.split()]) == 0
    run = Path("runs") / f"gan-{data}"
    config = json.loads((run / "config.json").read_text())["config"]
    assert config["margin"] == preset(data).margin and config["net"] == preset(data).net
    assert np.asarray(Image.open(run / "samples.png")).std() > 0
    assert main(["evaluate", str(run), "--samples", "8"]) == 0
    scores = json.loads((run / "scores.json").read_text())["scores"]
    assert scores["network"] == "images" and scores["nearest"]["count"] == 8


def test_the_nets_are_of_the_channels_of_their_sets():
    assert image_shape(preset("sprites").net) == (3, 64, 64)
    assert image_shape(preset("yale-b").net) == (1, 64, 64)

"""Options of a run that do not go together, each refused in one line."""

from __future__ import annotations

import dataclasses
import re

import pytest
import torch

from ebgan.cli import main
from ebgan.disentangle import PRESETS, build, preset
from ebgan.errors import UserError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"net": "huge"}, "net: got 'huge', allowed are small, big"),
        ({"batch_size": 1}, "batch_size: got 1, batch normalisation needs at least 2"),
        ({"style_size": 0}, "style_size: got 0"),
        ({"size": 0}, "size: got 0"),
        ({"kl_weight": -0.1}, "kl_weight: got -0.1"),
        ({"swap_weight": 0.0, "reconstruction_weight": 0.0}, "swap_weight: got 0"),
        ({"identity": "class,"}, "identity: got 'class,', allowed are factors such as class or body,hair"),
        ({"margin": 0.1}, "margin: got 0.1, but --adversary logits has none; leave it out"),
        ({"adversary": "energies"}, "margin: is missing; --adversary energies needs one"),
        ({"adversary": "energies", "margin": 0.0}, "margin: got 0.0"),
        ({"adversary": "energy"}, "adversary: got 'energy', allowed are logits, energies"),
        ({"discriminator_lr": 0.0}, "discriminator_lr: got 0.0"),
    ],
)
def test_wrong_options_are_refused(changes, message):
    with pytest.raises(UserError, match=re.escape(message)):
        dataclasses.replace(preset(), **changes)


def test_the_identity_is_one_factor_or_several():
    assert preset().factors == ("class",)
    assert PRESETS["sprites"].factors == ("body", "bottomwear", "topwear", "hair")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--identity style", "--identity: got 'style', but the factors of 'digits' are class"),
        ("--data yale", "--data: got 'yale', allowed are digits, mnist"),
        ("--data sprites", "data set 'sprites' needs a data root"),
    ],
)
def test_data_that_does_not_fit_is_one_line(arguments, message, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    assert main(["train", "disentangle", *arguments.split()]) == 2
    error = capfd.readouterr().err
    assert message in error and error.count("\n") == 1


def test_images_of_another_shape_than_a_square_are_refused(tmp_path):
    folder = tmp_path / "yale-b"
    folder.mkdir()
    for subject in ("yaleB01", "yaleB02"):
        for light in ("A+000E+00", "A+010E+00", "A+020E+00", "A+030E+00"):
            (folder / f"{subject}_P00{light}.pgm").write_bytes(b"P5 8 16 255 " + bytes(128))
    config = dataclasses.replace(preset("yale-b"), size=None)
    with pytest.raises(UserError, match="image: got 16x8 pixels, allowed are squares; load them with a size"):
        build(config, torch.device("cpu"), tmp_path)

"""The command `ebgan transfer`: which pictures it draws of which data, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ebgan.cli import main
from ebgan.data import registry
from ebgan.disentangle import transfer

LIGHTS = tuple(f"A{azimuth:+04d}E{elevation:+03d}" for azimuth in (-50, 0, 50) for elevation in (-20, 0, 20))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)


def trained(data: str, *options: str) -> str:
    run = f"runs/{data}"
    arguments = ["train", "disentangle", "--data", data, "--steps", "2", "--batch-size", "4", "--width", "4"]
    assert main([*arguments, "--threads", "1", "--net", "small", "--out", run, *options]) == 0
    return run


def faces() -> None:
    """A data root `data` with the pictures of twelve made-up faces under nine lights, grey by both."""
    for subject in range(1, 13):
        folder = Path(f"data/yale-b/yaleB{subject:02}")
        folder.mkdir(parents=True)
        for number, light in enumerate(LIGHTS):
            pixels = bytes([20 * subject, 25 * number]) * 128
            (folder / f"yaleB{subject:02}_P00{light}.pgm").write_bytes(b"P5 16 16 255 " + pixels)


def size(path: str) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_digits_have_swaps_an_interpolation_and_samples_that_can_be_seen(capsys):
    run = trained("digits")
    capsys.readouterr()
    assert main(["transfer", run]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"{name}: {run}/transfer/{name}.png" for name in ("swaps", "interpolation", "samples")]
    assert all(min(size(line.split(": ")[1])) > 10 * 64 for line in printed)
    first = Path(f"{run}/transfer/swaps.png").read_bytes()
    assert main(["transfer", run, "--out", "again"]) == 0
    assert Path("again/swaps.png").read_bytes() == first
    assert main(["transfer", run, "--out", "other", "--seed", "1"]) == 0
    assert Path("other/swaps.png").read_bytes() != first


def test_faces_have_poses_and_scores_against_the_true_images(capsys):
    faces()
    run = trained("yale-b", "--size", "16", "--data-root", "data")
    capsys.readouterr()
    assert main(["transfer", run]) == 0
    assert f"poses: {run}/transfer/poses.png" in capsys.readouterr().out
    assert main(["transfer", run, "--factor", "azimuth", "--out", "azimuth"]) == 0
    assert main(["evaluate", run, "--images", "60", "--swaps", "20"]) == 0
    table = capsys.readouterr().out
    scores = json.loads(Path(run, "scores.json").read_text())["scores"]
    assert set(scores["probes"]) == {"class", "light", "azimuth", "elevation"}
    assert set(scores["swaps"]["likeness"]) == {
        "the swap",
        "the image that gave the style",
        "the image that gave the identity",
        "the mean training image",
    }
    assert "swaps against the true image" in table and "elevation" in table


def test_digits_are_scored_by_probes_and_by_a_classifier(capsys):
    run = trained("digits")
    assert main(["evaluate", run, "--images", "200", "--swaps", "50"]) == 0
    scores = json.loads(Path(run, "scores.json").read_text())
    assert set(scores["scores"]["probes"]["class"]) == {"s", "z mean", "z sample"}
    assert scores["scores"]["swaps"]["handwriting"]["count"] == 50 and scores["seed"] == 0
    assert "are read as the class of the identity's image" in capsys.readouterr().out


def test_a_factor_that_does_not_differ_is_one_line(capfd):
    run = trained("digits")
    capfd.readouterr()
    assert main(["transfer", run, "--factor", "azimuth"]) == 2
    assert "--factor: got 'azimuth', those that differ within an identity are none" in capfd.readouterr().err


def test_runs_of_other_systems_and_wrong_seeds_are_one_line(capfd):
    assert main(["train", "gan", "--steps", "1", "--out", "runs/gan"]) == 0
    capfd.readouterr()
    assert main(["transfer", "runs/gan"]) == 2
    assert "is a run of 'ebgan train gan', not of 'ebgan train disentangle'" in capfd.readouterr().err
    assert main(["transfer", trained("digits"), "--seed", "-1"]) == 2
    assert "--seed: got -1" in capfd.readouterr().err


def test_the_test_images_of_one_identity_alone_cannot_be_swapped(monkeypatch):
    run = trained("digits")
    whole = registry.load("digits", "test")
    chosen = np.flatnonzero(whole.labels == 3)
    alone = type(whole)(whole.images[chosen], whole.labels[chosen], "digits", "test", whole.classes)
    monkeypatch.setattr("ebgan.disentangle.pictures.load_images", lambda *_: alone)
    with pytest.raises(ValueError, match="have one identity, a swap needs two"):
        transfer(run)

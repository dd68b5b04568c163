"""What a newcomer does after the first training: to score the run, and to draw from it."""

from __future__ import annotations

import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.cli import main
from ebgan.systems import SYSTEMS, trained_generator
from support.video_files import wandering, write_video

TINY = {"gan": [], "ladder": ["--layers", "8"], "video": ["--width", "0.05"], "disentangle": ["--width", "2"]}
FEW = {"samples": "4", "windows": "2", "images": "40", "swaps": "4"}
VIDEO = (
    "train video --data videos --data-root films --net 4to1 --width 0.05 --steps 1 --min-motion 0 --out run"
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_the_evaluation_of_a_default_run_ends_and_shows_how_far_it_is(system, capfd):
    assert main(["train", system.name, "--steps", "1", "--out", "run", *TINY[system.name]]) == 0
    few = [word for name in system.evaluation if name in FEW for word in (f"--{name}", FEW[name])]
    capfd.readouterr()
    assert main(["evaluate", "run", *few]) == 0
    printed = capfd.readouterr()
    assert "(100%)" in printed.err and "left" in printed.err
    assert json.loads(Path("run/scores.json").read_text())["table"] in printed.out


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_samples_are_drawn_or_it_is_said_whose_are(system, capfd):
    given = ["--model", "ebgan"] if system.name == "ladder" else []
    assert main(["train", system.name, "--steps", "1", "--out", "run", *TINY[system.name], *given]) == 0
    capfd.readouterr()
    code = main(["sample", "run", "--count", "9"])
    if system.image_generator is None:
        said = capfd.readouterr().err
        assert code == 2 and "take a run of 'ebgan train gan' or 'ebgan train ladder'" in said
    else:
        assert code == 0 and np.asarray(Image.open("samples.png")).std() > 0


def test_a_ladder_without_a_generator_says_which_has_one(capfd):
    assert main(["train", "ladder", "--steps", "1", "--out", "run", "--layers", "8"]) == 0
    capfd.readouterr()
    assert main(["sample", "run"]) == 2
    assert (
        "--model bottom trains no generator to sample from; train one with --model ebgan"
        in capfd.readouterr().err
    )


def test_an_image_of_a_ladder_is_decided_by_its_own_code():
    assert (
        main(
            [
                "train",
                "ladder",
                "--model",
                "ebgan",
                "--steps",
                "30",
                "--seeds",
                "2",
                "--out",
                "run",
                "--layers",
                "8",
            ]
        )
        == 0
    )
    net = trained_generator(Path("run"))
    (codes,) = net.noise(64)
    images = net(codes)
    assert images.shape == (64, 1, 8, 8) and images.std(0).mean() > 0.05
    torch.testing.assert_close(net(codes[:1]), images[:1])


def films(count: int, *, folder: str = "films") -> None:
    for number in range(count):
        write_video(Path(folder) / f"{number}.mkv", wandering(9, seed=number))


def test_clips_without_a_test_split_are_held_out_and_scored(capfd, caplog):
    films(12)
    with caplog.at_level(logging.WARNING):
        assert main(VIDEO.split()) == 0
    assert "'videos' has no test split: 1 of 12 clips are held out of training" in caplog.text
    assert main(["evaluate", "run", "--data-root", "films"]) == 0
    assert "videos held out of training, 1 clips: 1 windows" in capfd.readouterr().out


def test_clips_with_a_test_split_are_all_learnt_from(capfd, caplog):
    films(3, folder="films/train")
    films(2, folder="films/test")
    with caplog.at_level(logging.WARNING):
        assert main(VIDEO.split()) == 0
    assert "held out" not in caplog.text
    assert main(["evaluate", "run", "--data-root", "films"]) == 0
    assert "videos test, 2 clips" in capfd.readouterr().out


@pytest.mark.parametrize(("count", "options"), [(1, ""), (3, "--held-out-share 0")])
def test_that_nothing_is_held_out_is_said_before_training(count, options, capfd, caplog):
    films(count)
    with caplog.at_level(logging.WARNING):
        assert main([*VIDEO.split(), *options.split()]) == 0
    assert "nothing is held out of training, so that ebgan evaluate will have nothing to score" in caplog.text
    assert main(["evaluate", "run", "--data-root", "films"]) == 2
    said = capfd.readouterr().err.splitlines()[-1]
    assert "has no test split" in said and "sort the videos into folders 'train' and 'test'" in said


def test_a_run_of_an_earlier_version_holds_nothing_out():
    films(3)
    assert main([*VIDEO.split(), "--held-out-share", "0"]) == 0
    stored = json.loads(Path("run/config.json").read_text())
    del stored["config"]["held_out_share"]
    Path("run/config.json").write_text(json.dumps(stored))
    (system,) = (each for each in SYSTEMS if each.name == "video")
    assert dataclasses.asdict(system.open_run(Path("run"))[1])["held_out_share"] == 0


def test_ucf101_without_a_test_folder_holds_groups_out(caplog):
    for group in range(1, 5):
        write_video(Path(f"data/ucf101/train/v_Walk_g{group:02}_c01.mkv"), wandering(9, seed=group))
    arguments = VIDEO.replace("--data videos --data-root films", "--data ucf101 --data-root data")
    with caplog.at_level(logging.WARNING):
        assert main(arguments.split()) == 0
    assert "'ucf101' has no test split: 1 of 4 clips" in caplog.text
    assert main(["evaluate", "run", "--data-root", "data"]) == 0

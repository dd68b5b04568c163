"""Every command that writes, where it cannot: one line, exit code 2, no traceback."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from ebgan import ladder, video
from ebgan.cli import main
from support.full_disk import largest_file
from support.video_files import wandering, write_video

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def there(tmp_path_factory) -> Path:
    """A folder with a run of each system, a clip, and a file where one might want a folder."""
    folder = tmp_path_factory.mktemp("there")
    assert main(["train", "gan", "--steps", "1", "--batch-size", "4", "--out", str(folder / "gan")]) == 0
    config = dataclasses.replace(ladder.preset(), steps=1, layers="16-8")
    ladder.train(config, folder / "ladder", device=CPU)
    small = {"width": 0.05, "batch_size": 2, "steps": 1, "threads": 1, "size": 32}
    video.train(dataclasses.replace(video.preset("4to1", "l1"), **small), folder / "video", device=CPU)
    write_video(folder / "clip.mkv", wandering(12, 32, 32))
    (folder / "file").write_text("")
    return folder


def refused(capfd: pytest.CaptureFixture[str], arguments: str) -> str:
    capfd.readouterr()
    assert main(arguments.split()) == 2
    error = capfd.readouterr().err
    told = [line for line in error.splitlines() if line.startswith("ebgan: ")]
    assert len(told) == 1 and "Traceback" not in error
    return told[0]


@pytest.mark.parametrize(
    "arguments",
    [
        "train gan --steps 1 --batch-size 4 --out file/run",
        "train ladder --steps 1 --out file/run",
        "train video --steps 1 --batch-size 1 --out file/run",
        "demo --out file/run",
        "sample gan --out file/samples.png",
        "predict video clip.mkv --frames 2 --out file/rollout",
    ],
)
def test_a_folder_that_cannot_be_is_one_line(there, monkeypatch, capfd, arguments):
    monkeypatch.chdir(there)
    assert "file" in refused(capfd, arguments)
    assert (there / "file").read_text() == ""


@pytest.mark.parametrize(
    ("arguments", "size", "named"),
    [
        ("train gan --steps 1 --batch-size 4 --out new", 10_000, "step-00000000"),
        ("train ladder --steps 1 --out new", 10_000, "step-00000000"),
        ("train gan --steps 1 --batch-size 4 --out new", 600, "config.json"),
        ("train gan --resume gan --steps 2", 10_000, "step-00000002"),
        ("train gan --resume gan --steps 2", 600, "config.json"),
        ("sample gan --out new/samples.png", 1_000, "new/samples.png"),
        ("predict video clip.mkv --frames 2 --out new", 1_000, "new/film.mp4"),
        ("evaluate ladder", 600, "ladder/scores.json"),
    ],
)
def test_a_full_disk_is_one_line(there, tmp_path, monkeypatch, capfd, arguments, size, named):
    for each in there.iterdir():
        (tmp_path / each.name).symlink_to(each)
    monkeypatch.chdir(tmp_path)
    with largest_file(size):
        told = refused(capfd, arguments)
    assert named in told and "(File too large); make room there, or choose another folder" in told


def test_scores_that_cannot_be_kept_are_refused_before_the_work(there, monkeypatch, capfd):
    monkeypatch.chdir(there)
    asked = []
    monkeypatch.setattr("ebgan.ladder.evaluate.load_network", lambda *_: asked.append(1))
    (there / "ladder" / "scores.json").unlink(missing_ok=True)
    with largest_file(600):
        refused(capfd, "evaluate ladder")
    assert not asked


def test_a_disk_that_filled_up_keeps_the_earlier_scores(there, monkeypatch, capfd):
    monkeypatch.chdir(there)
    assert main(["evaluate", "ladder"]) == 0
    before = json.loads((there / "ladder" / "scores.json").read_text())
    monkeypatch.setattr("ebgan.training.description.require_writable", lambda path: None)
    with largest_file(600):
        assert "ladder/scores.json: cannot be written" in refused(capfd, "evaluate ladder")
    assert json.loads((there / "ladder" / "scores.json").read_text()) == before

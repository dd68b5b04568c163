"""The comparison of predictions of an uncertain future."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import pytest
import torch
from PIL import Image

from benchmarks import futures
from ebgan.data import MovingDigits
from ebgan.video import preset, train


@pytest.fixture
def pages(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    for name, file in (
        ("DATA", "f/data.json"),
        ("PAGE", "F.md"),
        ("STRIPS", "strips.png"),
        ("CURVES", "c.png"),
    ):
        monkeypatch.setattr(futures, name, tmp_path / file)
    windows = futures.windows
    monkeypatch.setattr(futures, "windows", lambda *given: windows(*given)[:12])
    return tmp_path


def trained(path: pathlib.Path, loss: str, **changes: object) -> pathlib.Path:
    small = {"width": 0.05, "batch_size": 2, "threads": 1, "steps": 1, "size": 32, "bounce": "random"}
    config = dataclasses.replace(preset("8to8", loss), **small | changes)  # type: ignore[arg-type]
    train(config, path, device=torch.device("cpu"))
    return path


def test_windows_hold_what_followed_and_the_mean_of_what_could_have():
    digits = MovingDigits("test", size=32, bounce="random")
    window = futures.windows(digits, 8, 8)[1]
    assert (window.given.shape, window.followed.shape) == ((8, 3, 32, 32), (8, 3, 32, 32))
    film = torch.from_numpy(digits.clip_set().clips[0].frames(16, 16)).permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(torch.cat((window.given, window.followed)), film)
    torch.testing.assert_close(window.mean, digits.mean_of_futures(0, 23, 8))


def test_the_mean_is_equal_to_itself_and_blurrier_the_later_the_frame():
    windows = futures.windows(MovingDigits("test", size=32, bounce="random"), 8, 8)[:24]
    ways = {"mean": lambda window: window.mean, "truth": lambda window: window.followed}
    rows = futures.measure(ways, windows)
    assert rows["mean"]["psnr_to_mean"] == pytest.approx([88.13] * 8, abs=0.01)
    assert rows["truth"]["sharpness_ratio"] == pytest.approx([1.0] * 8)
    sharpness = rows["mean"]["sharpness_ratio"]
    assert sharpness[0] > 0.85 and sharpness[7] < 0.65 and sharpness[7] < sharpness[3] < sharpness[0]


def test_runs_are_compared_on_a_page_with_pictures(pages):
    runs = [trained(pages / loss, loss) for loss in ("l2", "adv")]
    assert futures.main([str(run) for run in runs]) == 0
    content = json.loads((pages / "f" / "data.json").read_text())
    assert list(content["rows"]) == ["mean of futures", "l2", "adv"] and content["windows"] == 12
    text = (pages / "F.md").read_text()
    assert text == futures.page(content) and "- adv: `ebgan train video --steps 1" in text
    strips = Image.open(pages / "strips.png")
    assert strips.height == 12 * 72 + 8  # three windows of four rows, cells of 64 pixels and gaps of 8
    assert Image.open(pages / "c.png").width > 400


def test_a_run_of_another_kind_is_refused_in_one_line(pages, capsys):
    run = trained(pages / "mirror", "l1", bounce="mirror")
    assert futures.main([str(run)]) == 2
    assert (
        "train it with --net 8to8 --data moving-digits --bounce random --size 32" in capsys.readouterr().err
    )


def test_the_committed_page_says_what_the_committed_figures_say():
    assert futures.PAGE.read_text() == futures.page(json.loads(futures.DATA.read_text()))

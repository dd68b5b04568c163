"""Roll-outs: what a generator is shown, what comes out, and the files of `ebgan predict`."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ebgan.cli import main
from ebgan.data import read_video
from ebgan.video import generator, predict_video, preset, psnr, roll_out, train, trained_generator
from ebgan.video.film import write_film
from support.errors import assert_refused
from support.video_files import wandering, write_video

WIDTH = 0.05


class Cycle:
    """Predicts that the last `input_frames` come again, each plus `drift`."""

    def __init__(self, input_frames: int, drift: float = 0.0) -> None:
        self.input_frames, self.drift = input_frames, drift
        self.shown: list[Tensor] = []

    def predict(self, frames: Tensor) -> Tensor:
        self.shown.append(frames)
        return frames + self.drift


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    config = dataclasses.replace(preset("4to1", "l1"), width=WIDTH, batch_size=2, steps=1, threads=1, size=32)
    train(config, out, device=torch.device("cpu"))
    return out


@pytest.fixture
def clip(tmp_path) -> Path:
    return write_video(tmp_path / "clip.mkv", wandering(16, 50, 67))


def test_colours_order_and_batch_are_kept_over_any_number_of_frames():
    frames = torch.rand(2, 3, 3, 8, 16) * 2 - 1
    film = roll_out(Cycle(3), frames, 7)
    torch.testing.assert_close(film, frames[:, [0, 1, 2, 0, 1, 2, 0]], rtol=0, atol=0)


def test_only_the_last_frames_are_shown_and_then_predicted_ones():
    frames = torch.rand(1, 5, 3, 8, 8) / 2
    cycle = Cycle(2, drift=0.25)
    roll_out(cycle, frames, 3)
    torch.testing.assert_close(cycle.shown, [frames[:, 3:], frames[:, 3:] + 0.25])


def test_predictions_stay_in_range_and_out_of_range_ones_are_not_shown_again():
    cycle = Cycle(2, drift=0.7)
    film = roll_out(cycle, torch.zeros(1, 2, 3, 8, 8), 6)
    assert film.unique().tolist() == pytest.approx([0.7, 1.0])
    assert max(shown.max() for shown in cycle.shown) == 1


@pytest.mark.parametrize("name", ["4to1", "8to8"])
def test_a_generator_rolls_out_frame_by_frame_in_range(name):
    net = generator(name, width=WIDTH, tanh="before")
    frames = torch.rand(1, net.input_frames, 3, 16, 24) * 2 - 1
    film = roll_out(net, frames, net.target_frames + 1)
    assert film.shape == (1, net.target_frames + 1, 3, 16, 24) and not film.requires_grad
    assert film.abs().max() <= 1
    torch.testing.assert_close(film[:, : net.target_frames], net.predict(frames).clamp(-1, 1))


@pytest.mark.parametrize(
    ("frames", "count", "fragments"),
    [(1, 2, ("frames: got 1", "needs at least 2")), (2, 0, ("count: got 0",))],
)
def test_too_few_frames_are_refused(frames, count, fragments):
    film = torch.zeros(1, frames, 3, 8, 8)
    assert_refused(lambda: roll_out(Cycle(2), film, count), ValueError, fragments)


def test_the_frames_of_a_file_are_those_before_and_after_the_cut_in_its_middle(run, clip):
    net = trained_generator(run, torch.device("cpu"))
    result = predict_video(net, clip, count=5, start=3)
    expected = torch.from_numpy(read_video(clip)[3:12, 1:49, 1:65].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(torch.cat((result.frames, result.targets)), expected)
    torch.testing.assert_close(result.predictions, roll_out(net, expected[None, :4], 5)[0])
    assert result.shown == [1, 2, 3, 4, 5]


def test_predict_writes_a_film_a_strip_and_the_psnr_of_each_frame(run, clip, capsys):
    assert main(["predict", str(run), str(clip), "--frames", "10", "--start", "1"]) == 0
    out = run / "rollouts" / "clip-1-10"
    net = trained_generator(run, torch.device("cpu"))
    result = predict_video(net, clip, count=10, start=1)

    rows = [json.loads(line) for line in (out / "psnr.jsonl").read_text().splitlines()]
    assert [row["frame"] for row in rows] == list(range(1, 11))
    expected = psnr(result.predictions, result.targets).tolist()
    assert [row["prediction"] for row in rows] == pytest.approx(expected, abs=1e-3)
    still = psnr(result.frames[-1], result.targets[6]).item()
    assert rows[6]["last_frame"] == pytest.approx(still)

    film = read_video(out / "film.mp4")
    assert film.shape == (14, 48 + 16, 2 * 64 + 24, 3)
    left, right = film[:, 8:56, 8:72], film[:, 8:56, 80:144]
    for films, meant in ((left[4:], result.targets), (right[4:], result.predictions)):
        levels = (meant.permute(0, 2, 3, 1).numpy() + 1) * 127.5
        assert np.abs(films - levels).mean() < 15  # H.264 halves the resolution of colours
        if meant is result.targets:
            distances = np.abs(films[:, None] - levels).mean((2, 3, 4))
            assert distances.argmin(1).tolist() == list(range(10))
    assert np.abs(left[:4].astype(float) - right[:4]).mean() < 4
    grey, orange = film[0, 2:6, 76:148].mean((0, 1)), film[9, 2:6, 76:148].mean((0, 1))
    assert np.ptp(grey) < 10 and orange[0] > orange[1] > orange[2] + 100

    strip = np.asarray(Image.open(out / "strip.png"))
    names = (13 + 8, strip.shape[1] - (4 + 8) * (64 + 8) - 8)  # above and to the left
    assert strip.shape[0] == names[0] + 3 * (48 + 8) + 8 and 60 < names[1] < 120
    printed = capsys.readouterr().out
    for name in ("film.mp4", "strip.png", "psnr.jsonl"):
        assert str(out / name) in printed
    assert "10 frames of 48x64" in printed and "frames 1, 2, 4, 5, 6, 7, 9, 10" in printed


def test_a_film_has_the_rate_of_its_clip_and_no_earlier_one_is_overwritten(run, tmp_path, capfd):
    clip = write_video(tmp_path / "slow.mkv", wandering(16))  # 25 frames a second
    usual = run / "rollouts" / "slow-0-5"
    for folder in (usual, usual.with_name("slow-0-5-2"), usual.with_name("slow-0-5-3")):
        assert main(["predict", str(run), str(clip)]) == 0
        with av.open(str(folder / "film.mp4")) as container:
            assert container.streams.video[0].average_rate == 25
    given = ["--out", str(tmp_path / "mine")]
    assert main(["predict", str(run), str(clip), *given]) == 0
    written = (tmp_path / "mine" / "film.mp4").read_bytes()
    capfd.readouterr()
    assert main(["predict", str(run), str(clip), "--frames", "2", *given]) == 2
    assert (
        "--out: " in (said := capfd.readouterr().err) and "holds a prediction already; name another" in said
    )
    assert (tmp_path / "mine" / "film.mp4").read_bytes() == written


def test_a_rate_of_thousandths_is_kept_and_one_that_no_file_tells_is_ten(tmp_path):
    frames = torch.zeros(3, 3, 16, 16)
    for rate, expected in ((Fraction(30000, 1001), Fraction(30000, 1001)), (None, 10)):
        write_film(frames, frames, frames, tmp_path / "film.mp4", rate=rate)
        with av.open(str(tmp_path / "film.mp4")) as container:
            assert container.streams.video[0].average_rate == expected


def test_a_film_can_be_written_where_ffmpeg_has_no_h264(run, clip, tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", av.codecs_available - {"libx264"})
    assert main(["predict", str(run), str(clip), "--out", str(tmp_path / "out")]) == 0
    with av.open(str(tmp_path / "out" / "film.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"
    assert len(read_video(tmp_path / "out" / "film.mp4")) == 4 + 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("RUN clip.mkv --frames 13", "clip.mkv: has 16 frames, needed are 17: 0 before the start"),
        ("RUN clip.mkv --start 8", "needed are 17: 8 before the start"),
        ("RUN clip.mkv --frames 0", "--frames: got 0"),
        ("RUN clip.mkv --start -1", "--start: got -1"),
        ("RUN notes.txt", "cannot read notes.txt as a video"),
        ("RUN nowhere.mp4", "cannot read nowhere.mp4 as a video: No such file"),
        ("RUN tiny.mkv", "tiny.mkv: frames are 12x64, prediction needs 16x16"),
        ("nowhere clip.mkv", "nowhere: is not a run folder"),
        ("RUN clip.mkv --device tpu", "--device: got 'tpu'"),
        ("RUN clip.mkv --out notes.txt", "--out: notes.txt is a file"),
        ("RUN", "CLIP: is missing"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(run, clip, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(clip.parent)
    Path("notes.txt").write_text("no video")
    write_video(Path("tiny.mkv"), wandering(16, 12, 64))
    assert main(["predict", *arguments.replace("RUN", str(run)).split()]) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1 and message.lower() in error.lower()

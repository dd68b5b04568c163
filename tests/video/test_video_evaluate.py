"""Evaluation of video prediction: windows, areas, what is counted, and the file and table of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.cli import main
from ebgan.data import Clip, ClipSet, DataError, read_video
from ebgan.video import METRICS, evaluate, generator, moving, optical_flow, psnr, roll_out
from ebgan.video.scores import paired_bootstrap, statistics
from ebgan.video.windows import spread, windows
from support.errors import assert_refused
from support.video_files import wandering, write_video

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")

NET = generator("4to1", width=0.05)


def clip_set(*films: np.ndarray, breaks: tuple[int, ...] = ()) -> ClipSet:
    clips = tuple(Clip.of(film, f"clip {number}", breaks=breaks) for number, film in enumerate(films))
    return ClipSet(clips, "films", "test", ("all",))


class Copy(nn.Module):
    """Predicts the last frame, shifted by `drift`."""

    input_frames, target_frames = 4, 1

    def __init__(self, drift: float) -> None:
        super().__init__()
        self.drift = nn.Parameter(torch.tensor(drift))

    def predict(self, frames: Tensor) -> Tensor:
        return frames[:, -1:] + self.drift


def test_windows_start_at_a_stride_and_span_no_break():
    clips = clip_set(wandering(20), wandering(5), breaks=(8,))
    assert [(each.clip.name, each.start) for each in windows(clips, 6, stride=3)] == [
        ("clip 0", 0),
        ("clip 0", 8),
        ("clip 0", 11),
        ("clip 0", 14),
    ]


def test_frames_are_cut_to_multiples_of_eight_in_their_middle():
    film = wandering(6, 50, 67)
    (window,) = windows(clip_set(film), 6, stride=1)
    assert window.size == "48x64"
    expected = torch.from_numpy(film[:, 1:49, 1:65].copy()).permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(window.frames(), expected)


def test_scores_are_the_means_of_metrics_of_the_first_and_the_recursive_second_frame():
    clips = clip_set(wandering(9), wandering(9, seed=1))
    scores = evaluate(NET, clips, stride=2)
    assert (scores.windows, scores.clips, scores.predicted_frames, scores.sizes) == (4, 2, 2, ("48x64",))
    values: dict[str, list[float]] = {"frame 1": [], "frame 2": []}
    for window in windows(clips, 6, stride=2):
        frames = window.frames()
        film = roll_out(NET, frames[None, :4], 2)[0]
        for number, name in enumerate(values):
            values[name].append(psnr(film[number], frames[4 + number]).item())
    for name, each in values.items():
        found = scores.frames[name]["whole"].predictions["generator"]
        assert (found.windows, found.skipped) == (4, 0)
        assert found.metrics["psnr"] == statistics(np.array(each))
        assert set(found.metrics) == set(METRICS)


def test_some_windows_are_spread_evenly_over_all_of_them():
    clips = clip_set(*(wandering(12, seed=seed) for seed in range(3)))
    every = windows(clips, 6, stride=2)
    chosen = spread(every, 4)
    assert [every.index(window) for window in chosen] == [0, 4, 7, 11] and spread(every, 99) == every
    assert spread(every, 1) == every[:1]
    scores = evaluate(NET, clips, stride=2, windows=4)
    assert (scores.windows, scores.windows_there) == (4, 12)
    assert "films test, 3 clips: 4 of 12 windows of 4 + 2 frames" in str(scores)
    assert (
        "12 windows" in str(evaluate(NET, clips, stride=2)) and evaluate(NET, clips, stride=2).windows == 12
    )


def test_moving_areas_are_those_of_the_flow_and_all_else_is_black():
    clips = clip_set(wandering(6))
    scores = evaluate(NET, clips)
    frames = windows(clips, 6, stride=1)[0].frames()
    film = roll_out(NET, frames[None, :4], 2)[0]
    for name, number in (("frame 1", 0), ("frame 2", 1)):
        mask = moving(optical_flow(frames[3 + number], frames[4 + number]))
        assert 0.05 < mask.float().mean() < 0.6
        expected = psnr(*(each[number].where(mask, -1.0) for each in (film, frames[4:])))
        found = scores.frames[name]["moving"].predictions["generator"]
        assert found.metrics["psnr"].mean == expected.item() and found.metrics["psnr"].std is None


def test_one_window_has_neither_deviation_nor_interval():
    one, two = (str(evaluate(NET, clip_set(*[wandering(6)] * count))) for count in (1, 2))
    tables = [text.partition("\nMean ± deviation")[0] for text in (one, two)]
    assert "±" not in tables[0] and "[" not in tables[0] and "gain over last frame" in tables[0]
    assert "±" in tables[1] and "[" in tables[1]


def test_eight_to_eight_is_scored_at_its_first_and_eighth_frame():
    scores = evaluate(generator("8to8", width=0.05), clip_set(wandering(16)))
    assert list(scores.frames) == ["frame 1", "frame 8"] and scores.windows == 1


def test_predictions_of_50_decibels_are_not_counted_where_things_move_but_are_in_whole_frames():
    still = np.repeat(wandering(1), 6, axis=0)
    scores = evaluate(Copy(0.5), clip_set(still, wandering(6)))
    for area, counted in (("whole", 2), ("moving", 1)):
        found = scores.frames["frame 1"][area].predictions["last frame"]
        assert (found.windows, found.skipped) == (counted, 2 - counted)


def test_where_nothing_counts_the_table_says_so():
    still = np.repeat(wandering(1), 6, axis=0)
    scores = evaluate(Copy(0.5), clip_set(still))
    area = scores.frames["frame 1"]["moving"]
    assert area.predictions["generator"].metrics == {} and area.gain == {} and area.paired_windows == 0
    assert str(scores).count("none counts") == 2 * 3 * 4


def test_the_gain_is_over_the_last_frame_window_by_window():
    clips = clip_set(wandering(12))
    same = evaluate(Copy(0.0), clips, stride=2).frames["frame 1"]["whole"]
    assert {name: (gain.mean, gain.low, gain.high) for name, gain in same.gain.items()} == dict.fromkeys(
        METRICS, (0.0, 0.0, 0.0)
    )
    worse = evaluate(Copy(0.3), clips, stride=2).frames["frame 1"]["whole"]
    ours, last = (worse.predictions[name].metrics["psnr"].mean for name in ("generator", "last frame"))
    gain = worse.gain["psnr"]
    assert gain.low <= gain.mean <= gain.high < 0
    assert gain.mean == pytest.approx(ours - last)


def test_the_bootstrap_interval_holds_the_mean_95_times_in_100():
    random = np.random.default_rng(0)
    held = 0
    for seed in range(5):
        gains = paired_bootstrap(random.normal(0.5, 1.0, (50, 40)), seed=seed)
        held += sum(gain.low < 0.5 < gain.high for gain in gains)
    assert 0.9 < held / 200 < 0.98
    values = random.normal(size=(20, 1))
    assert paired_bootstrap(values, seed=1) == paired_bootstrap(values, seed=1)
    assert paired_bootstrap(values, seed=1) != paired_bootstrap(values, seed=2)


@pytest.mark.parametrize(
    ("clips", "options", "error", "fragments"),
    [
        (clip_set(wandering(5)), {}, DataError, ("films test: none of 1 clips has 6 frames in a row",)),
        (clip_set(wandering(12), breaks=(4, 8)), {}, DataError, ("6 frames in a row",)),
        (
            clip_set(wandering(6, 48, 15)),
            {},
            DataError,
            ("clip 0: frames are 48x15, prediction",),
        ),
        (clip_set(wandering(6)), {"stride": 0}, ValueError, ("stride: got 0",)),
        (clip_set(wandering(6)), {"windows": 0}, ValueError, ("windows: got 0",)),
        (clip_set(wandering(6)), {"seed": -1}, ValueError, ("seed: got -1",)),
    ],
)
def test_what_cannot_be_evaluated_is_refused(clips, options, error, fragments):
    assert_refused(lambda: evaluate(NET, clips, **options), error, fragments)


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("videos")
    for number, name in enumerate(("train/a.mkv", "train/b.mkv", "test/c.mkv")):
        write_video(root / name, wandering(9, seed=number))
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory, videos) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    sizes = "--net 4to1 --width 0.05 --batch-size 2 --steps 1 --threads 1 --min-motion 0"
    assert main(f"train video --data videos --data-root {videos} --out {out} {sizes}".split()) == 0
    return out


def test_a_run_is_scored_on_its_test_split_and_the_scores_are_kept(run, videos, capsys):
    assert main(f"evaluate {run} --stride 3 --data-root {videos} --device cpu".split()) == 0
    printed = capsys.readouterr().out
    kept = json.loads((run / "scores.json").read_text())
    assert (kept["scores"]["data"], kept["scores"]["windows"], kept["step"]) == ("videos test", 2, 1)
    assert (kept["command"], kept["config"]["loss"], kept["device"]) == ("train video", "gdl", "cpu")
    assert "videos test, 1 clips: 2 windows of 4 + 2 frames of 48x64, 3 apart" in printed
    assert f"scores: {run / 'scores.json'}" in printed
    for frame in ("frame 1", "frame 2"):
        for area in ("whole", "moving"):
            found = kept["scores"]["frames"][frame][area]
            assert list(found["predictions"]) == ["generator", "last frame", "optical flow"]
            assert f"{frame}, {area}" in printed
            mean = found["predictions"]["generator"]["metrics"]["psnr"]["mean"]
            assert f"{mean:.2f} ± " in printed and set(found["gain"]) == set(METRICS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--stride 0", "--stride: got 0"),
        ("--windows 0", "--windows: got 0"),
        ("--seed -1", "--seed: got -1"),
        ("--device tpu", "--device: got 'tpu'"),
        ("--data-root nowhere", "nowhere"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(run, videos, capfd, options, message):
    root = "" if "--data-root" in options else f"--data-root {videos}"
    assert main(["evaluate", str(run), *options.split(), *root.split()]) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1 and message in error


@real_data
def test_real_clips_move_and_flow_predicts_them_better_than_copies():
    folder = Path(os.environ["EBGAN_DATA"]) / "ucf101" / "val"
    film = read_video(next(folder.glob("v_YoYo_g03*")))
    scores = evaluate(Copy(0.0), clip_set(film[40:46]))
    area = scores.frames["frame 1"]["moving"].predictions
    assert scores.sizes == ("240x320",)
    assert area["optical flow"].metrics["psnr"].mean > area["last frame"].metrics["psnr"].mean

"""The page of video scores: what it says of runs and seeds, and what it refuses."""

from __future__ import annotations

import copy
import pathlib
from typing import Any

import pytest

from benchmarks import video_scores
from benchmarks.scores import committed


def area(psnr: float) -> dict[str, Any]:
    def way(value: float) -> dict[str, Any]:
        values = {"psnr": value, "ssim": 0.5, "sharpness": 20.0, "sharpness_ratio": 0.7}
        return {
            "windows": 9,
            "skipped": 0,
            "metrics": {n: {"mean": v, "std": 1.0} for n, v in values.items()},
        }

    gains = {"psnr": {"mean": psnr - 25, "low": psnr - 26, "high": psnr - 24}}
    ways = {"generator": way(psnr), "last frame": way(25.0), "optical flow": way(27.0)}
    return {"predictions": ways, "paired_windows": 9, "gain": gains}


def run(loss: str, seed: int, psnr: float) -> dict[str, Any]:
    frames = {
        name: {"whole": area(psnr - lost), "moving": area(psnr - lost - 1)}
        for name, lost in (("frame 1", 0), ("frame 8", 4))
    }
    scores = {
        "data": "ucf101 test",
        "clips": 8,
        "windows": 9,
        "stride": 16,
        "sizes": ["240x320"],
        "frames": frames,
    }
    config = {"net": "8to8", "loss": loss, "width": 1.0, "seed": seed, "steps": 4000, "fold": None}
    return {
        **{"scores": scores, "step": 4000, "command": "train video", "config": config, "device": "cpu"},
        **{"versions": {"torch": "2.13.0"}, "date": "2026-01-31T10:00:00+00:00"},
    }


RATES: dict[str, Any] = {
    **{"steps": 500, "batch_size": 4, "optimizer": "adam", "precision": "bfloat16", "stride": 160, "seed": 0},
    **{"held_out": ["g05"], "last_frame": {"8to8": [25.0, 21.0]}},
    "rows": [
        {
            "net": "8to8",
            "loss": "adv",
            "generator_lr": 3e-4,
            "discriminator_lr": 5e-5,
            "psnr": [24.0, 20.0],
        },
        {
            "net": "8to8",
            "loss": "adv",
            "generator_lr": 1e-3,
            "discriminator_lr": 5e-5,
            "psnr": [23.0, 22.0],
        },
        {
            "net": "8to8",
            "loss": "l1",
            "generator_lr": 1e-4,
            "discriminator_lr": None,
            "psnr": [22.0, 21.0],
        },
    ],
}
RUNS = {"b": run("l1", 1, 27.0), "a": run("l1", 0, 26.0), "c": run("l2", 0, 20.0)}


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]


def test_seeds_share_a_row_of_their_mean_and_deviation_beside_the_decks():
    rows = rows_of(video_scores.page(RUNS, RATES))
    whole = next(row for row in rows if row[0] == "l1, 2 seeds")
    assert whole[1:5] == ["26.50 ± 0.71", "0.500 ± 0.000", "20.00 ± 0.00", "0.700 ± 0.000"]
    assert whole[5] == "22.50 ± 0.71" and whole[-4:] == ["21.2", "0.57", "18.3", "0.51"]


def test_losses_stand_in_the_decks_order_and_baselines_below():
    rows = rows_of(video_scores.page(RUNS, RATES))
    names = [row[0] for row in rows if len(row) > 10 and row[0] and not row[0].startswith("-")]
    assert names == ["l2, 1 seed", "l1, 2 seeds", "last frame", "optical flow"] * 2


def test_moving_areas_show_every_seeds_gain_over_the_last_frame():
    moving = [row for row in rows_of(video_scores.page(RUNS, RATES)) if row[0] == "l1, 2 seeds"][1]
    assert moving[-2:] == [
        "+0.00 [-1.00, +1.00]; +1.00 [+0.00, +2.00]",
        "-4.00 [-5.00, -3.00]; -3.00 [-4.00, -2.00]",
    ]


def test_every_run_is_there_with_the_command_that_repeats_it():
    text = video_scores.page(RUNS, RATES)
    assert "- b: `ebgan train video --net 8to8 --loss l1 --width 1.0 --seed 1 --steps 4000` (" in text


def test_the_rate_with_the_greater_mean_is_marked_for_each_loss():
    rows = [row for row in rows_of(video_scores.page(RUNS, RATES)) if row[0] == "8to8"]
    assert rows == [
        ["8to8", "Adv", "0.0003", "5e-05", "24.00", "20.00", "22.00"],
        ["8to8", "Adv", "**0.001**", "**5e-05**", "**23.00**", "**22.00**", "**22.50**"],
        ["8to8", "l1", "**0.0001**", "", "**22.00**", "**21.00**", "**21.50**"],
    ]


def test_runs_scored_on_other_windows_do_not_share_a_table():
    other = copy.deepcopy(RUNS)
    other["b"]["scores"]["windows"] = 8
    with pytest.raises(
        ValueError, match="8to8: the runs were scored on different windows; evaluate all anew"
    ):
        video_scores.page(other, RATES)


def test_a_run_without_scores_is_refused_in_one_line(tmp_path: pathlib.Path, monkeypatch, capsys):
    monkeypatch.setattr(video_scores, "FOLDER", tmp_path)
    assert video_scores.main([f"{tmp_path}/none=mine"]) == 2
    assert "scores.json is missing; run: ebgan evaluate" in capsys.readouterr().err


def test_the_committed_page_says_what_the_committed_scores_say():
    scores = committed(video_scores.FOLDER)
    assert scores
    assert video_scores.PAGE.read_text() == video_scores.page(scores, video_scores.chosen_rates())

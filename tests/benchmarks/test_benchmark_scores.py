"""The page of committed scores: what it says of a run, and what it refuses."""

from __future__ import annotations

import copy
import json
import pathlib
from typing import Any

import pytest

from benchmarks import scores

SHARES = {str(digit): 0.1 for digit in range(10)} | {"8": 0.031, "1": 0.169}
CLASSES = {
    "modified_inception_score": 12.345,
    "inception_score": 9.5,
    "mean_top_probability": 0.954,
    "shares": SHARES,
}
SET = {"count": 10_000, "kid": {"mean": 0.0123, "std": 0.001}, "classes": CLASSES}
RUN: dict[str, Any] = {
    "scores": {"network": "mnist", "sha256": "ab" * 32, "seed": 0, "sets": {"samples": SET, "real": SET}},
    "step": 10_000,
    "command": "train gan",
    "config": {"data": "mnist", "seed": 3, "model": "ebgan", "margin": 10.0, "dropout": False, "steps": 10},
    "device": "cpu",
    "versions": {"torch": "2.13.0"},
    "date": "2026-01-31T10:00:00+00:00",
}


def test_the_page_gives_each_run_a_line_and_names_the_score_network():
    text = scores.page([("mnist-pt", RUN), ("mnist-ebgan", RUN)])
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]
    figures = ["10,000", "0.01230 ± 0.00100", "12.3", "9.50", "0.954", "3.1 %"]
    assert [line for line in lines if line[0].startswith("mnist")] == [
        ["mnist-ebgan", "10,000", *figures],
        ["mnist-pt", "10,000", *figures],
    ]
    assert ["real", "", *figures] in lines
    assert (
        "ab" * 32 in text
        and "`ebgan train gan --data mnist --seed 3 --model ebgan --margin 10.0 --steps 10` (" in text
    )


def test_scores_without_classes_leave_their_columns_empty():
    run = copy.deepcopy(RUN)
    run["scores"]["sets"] = {"samples": {**SET, "classes": None}}
    assert "0.01230 ± 0.00100 |    |           |            |             |" in scores.page([("dogs", run)])


def test_a_distance_without_deviation_stands_alone():
    run = copy.deepcopy(RUN)
    run["scores"]["sets"]["samples"] = {**SET, "kid": {"mean": 0.0123, "std": None}}
    (row,) = [line for line in scores.page([("dogs", run)]).splitlines() if line.startswith("| dogs")]
    assert row.split("|")[4].strip() == "0.01230"


def test_scores_of_two_networks_do_not_share_a_table():
    other = copy.deepcopy(RUN)
    other["scores"]["sha256"] = "cd" * 32
    with pytest.raises(ValueError, match="mnist are of 2 score networks; evaluate all runs anew"):
        scores.page([("a", RUN), ("b", other)])


def test_a_runs_scores_are_taken_over_by_name(tmp_path: pathlib.Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "scores.json").write_text(json.dumps(RUN))
    scores.take_over([f"{tmp_path / 'run'}=mine"], tmp_path / "results")
    assert json.loads((tmp_path / "results" / "mine.json").read_text()) == RUN


@pytest.mark.parametrize(
    ("item", "message"),
    [("runs/none=mine", "scores.json is missing; run: ebgan evaluate runs/none"), ("runs/a", "RUN=NAME")],
)
def test_what_cannot_be_taken_over_is_named(item: str, message: str, tmp_path: pathlib.Path):
    with pytest.raises(ValueError, match=message):
        scores.take_over([item], tmp_path)


def test_the_committed_page_says_what_the_committed_scores_say():
    assert scores.PAGE.read_text() == scores.page(list(scores.committed(scores.FOLDER).items()))

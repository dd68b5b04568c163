"""The page of ladder scores: what it says of seeds and models, and what it refuses."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from benchmarks import ladder_scores, scores


def run(model: str, errors: dict[int, float], *, labels: int = 100, held_out: int = 0) -> dict[str, Any]:
    data, examples = ("mnist held out of training", held_out) if held_out else ("mnist test", 10_000)
    rates = {f"seed {seed}": error for seed, error in errors.items()}
    found = {"data": data, "examples": examples, "model": model, "labels": labels, "errors": rates}
    settings = dict.fromkeys(ladder_scores.CHOSEN) | {"lr": 0.002, "held_out": held_out}
    return {
        **{"scores": found, "step": 24_000, "command": "train ladder", "config": settings, "device": "cpu"},
        **{"versions": {"torch": "2.13.0"}, "date": "2026-01-31T10:00:00+00:00"},
    }


RUNS = {
    "ebgan": run("ebgan", {0: 0.010, 1: 0.014, 2: 0.5}),
    "bottom": run("bottom", {0: 0.015, 1: 0.017}),
    "supervised": run("supervised", {0: 0.2}),
}


def rows_of(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]


def test_errors_are_in_percent_beside_the_published_ones() -> None:
    text = ladder_scores.page(RUNS)
    assert "## mnist test, 100 labels, 24,000 updates (10,000 examples)" in text
    rows = rows_of(text)[2:]
    assert rows[0] == ["supervised", "supervised baseline", "1", "20.00", "20.00", "", "21.74 ± 1.77"]
    assert rows[1][2:] == ["2", "1.60 ± 0.14", "1.50, 1.70", "", "1.36 ± 0.21"]


def test_an_improvement_is_of_the_seeds_that_both_have() -> None:
    row = rows_of(ladder_scores.page(RUNS))[-1]
    assert row[:2] == ["ebgan", "EBGAN-LN"] and row[5] == "25.0 % of 2 seeds"  # 1.2 against 1.6
    alone = {name: RUNS[name] for name in ("ebgan",)}
    assert rows_of(ladder_scores.page(alone))[-1][5] == ""
    assert "23.5 % less" in ladder_scores.page(RUNS) and "23.5 % less" not in ladder_scores.page(alone)


def test_the_improvements_are_those_of_the_published_figures() -> None:
    for labels, improvement in ladder_scores.IMPROVEMENT.items():
        bottom, ebgan = (float(ladder_scores.PUBLISHED[m][labels].split()[0]) for m in ("bottom", "ebgan"))
        assert round(100 * (bottom - ebgan) / bottom, 1) == improvement


def test_runs_that_hold_examples_out_have_a_table_of_their_settings() -> None:
    text = ladder_scores.page({**RUNS, "tried": run("bottom", {100: 0.02}, held_out=5000)})
    tests, held_out = text.split("## mnist held out of training, 100 labels, 24,000 updates (5,000 examples)")
    assert "tried" not in tests and "21.74" not in held_out
    header, _, row = rows_of(held_out)
    assert row[header.index("lr")] == "0.002" and row[header.index("margin")] == ""
    assert row[-2:] == ["2.00", "2.00"]


def test_labels_and_updates_are_not_mixed() -> None:
    text = ladder_scores.page({**RUNS, "more": run("bottom", {0: 0.011}, labels=1000)})
    assert text.index("100 labels, 24,000") < text.index("1000 labels, 24,000")
    assert rows_of(text)[-1][-1] == "1.04 ± 0.06"


def test_a_run_without_scores_is_refused_in_one_line(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ladder_scores, "FOLDER", tmp_path / "scores")
    assert ladder_scores.main([f"{tmp_path}=name"]) == 2
    assert f"run: ebgan evaluate {tmp_path}" in capsys.readouterr().err


def test_the_committed_page_is_that_of_the_committed_scores() -> None:
    committed = scores.committed(ladder_scores.FOLDER)
    assert ladder_scores.PAGE.read_text() == ladder_scores.page(committed)

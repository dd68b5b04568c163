"""The command `ebgan energies`."""

from __future__ import annotations

import json
import sys

import pytest

from ebgan.cli import main


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_it_prints_a_table_and_writes_pictures_and_a_report(tmp_path, capsys):
    short = "energies --data rings --learners pca,k-means --count 200 --seed 3"
    assert main(short.split()) == 0
    told = capsys.readouterr().out
    folder = tmp_path / "runs" / "energies-rings"
    report = json.loads((folder / "energies.json").read_text())
    assert (report["data"], report["points"], report["seed"]) == ("rings", 200, 3)
    assert f"{report['learners']['k-means']['auc']:.3f}" in told
    for name in ("surfaces.png", "surfaces.html", "plays.png", "energies.json"):
        assert f"{folder.relative_to(tmp_path) / name}: " in told
        assert (folder / name).stat().st_size > (100 if name.endswith("json") else 10_000)
    assert main(short.split()) == 0  # in place of the earlier ones


def test_it_takes_points_from_a_csv_file(tmp_path):
    (tmp_path / "mine.csv").write_text("".join(f"{x},{x * x}\n" for x in range(60)))
    assert main(["energies", "--csv", "mine.csv", "--learners", "pca", "--out", "there"]) == 0
    assert json.loads((tmp_path / "there" / "energies.json").read_text())["data"] == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--learners pca,k-mean", "--learners: got 'k-mean', allowed are pca, "),
        ("--learners ,", "--learners: got '', allowed are pca, "),
        ("--data spirl", "--data: got 'spirl', allowed is line, "),
        ("--count 1", "--count: got 1, allowed are finite numbers from 2 up"),
        ("--count 5 --learners k-means", "clusters: got 20 for 5 different points"),
        ("--csv no.csv", "--csv: no.csv cannot be read"),
        ("--seed -1", "--seed: got -1, allowed are finite numbers from 0 up"),
        ("--out taken/there", "taken/there: cannot be written"),
    ],
)
def test_mistakes_are_one_line(arguments, said, tmp_path, capsys):
    (tmp_path / "taken").write_text("a file")
    assert main(["energies", *arguments.split()]) == 2
    told = capsys.readouterr().err.strip()
    assert told.startswith(f"ebgan: {said}") and "\n" not in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0.5,2\n", "points: got 1, an energy is learned from at least 2"),
        ("0,0\n1,nan\n2,1\n", "points: 1 of 3 are NaN or infinite; leave them out"),
        ("0.5,2\n" * 7, "points: all 7 are (0.5, 2), an energy is learned from ones that differ"),
        ("0,0,0\n1,1,1\n", "points: got shape (2, 3), allowed is (N, 2), N points of the plane"),
    ],
    ids=["one point", "NaN", "constant", "3-D"],
)
def test_points_that_nothing_can_be_learned_from_are_one_line(text, said, tmp_path, capsys):
    (tmp_path / "mine.csv").write_text(text)
    assert main(["energies", "--csv", "mine.csv"]) == 2
    assert capsys.readouterr().err.strip() == f"ebgan: --csv: mine.csv: {said}"
    assert not (tmp_path / "runs").exists()


def test_a_package_that_is_missing_is_named_before_anything_is_learned(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly.graph_objects", None)
    assert main(["energies"]) == 2
    told = capsys.readouterr().err.strip()
    assert told == "ebgan: package 'plotly' is missing: pip install 'ebgan-kernels[train]'"
    assert not (tmp_path / "runs").exists()

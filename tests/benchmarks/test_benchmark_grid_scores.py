"""The page of the paper's grid: points that are scored, medians and gaps by depth."""

from __future__ import annotations

import json
import pathlib

import pytest

from benchmarks import grid_scores
from ebgan.gan.grid import Point

SCORES = {
    Point("ebgan", 2, 2, 400, 128, False): 6.0,
    Point("ebgan", 5, 2, 400, 128, False): 4.0,
    Point("ebgan", 5, 3, 400, 128, True): 3.0,
    Point("gan", 3, 2, 400, 128, False, "sgd", "adam", 0.01): 2.5,
}


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(grid_scores, "PAGE", tmp_path / "GRID.md")
    monkeypatch.setattr(grid_scores, "PICTURES", tmp_path)
    return tmp_path


def test_points_are_ranked_and_compared_by_depth(folder: pathlib.Path) -> None:
    for point, score in SCORES.items():
        run = folder / point.name
        run.mkdir()
        sets = {"samples": {"classes": {"modified_inception_score": score}}}
        (run / "scores.json").write_text(json.dumps({"step": 3000, "scores": {"sets": sets}}))
    (folder / "ebgan-2x400-2x256").mkdir()  # a run that is not scored yet
    assert grid_scores.main([str(folder)]) == 0

    page = (folder / "GRID.md").read_text()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if "|" in line]
    rows = {row[0]: row[1:] for row in cells}
    assert "I' of 3 of the paper's 512 EBGANs and 1 of its 6,144 GANs" in " ".join(page.split())
    assert rows["all"][:2] == ["2.50 (1)", "4.00 (3)"] and rows["all"][2].startswith("1.50 [0.50, 3.50]")
    assert rows["at most 3 layers"] == ["2.50 (1)", "6.00 (1)", "3.50 [3.50, 3.50]"]
    assert rows["5 layers"] == ["", "3.50 (2)", ""]
    ranked = [name for name in rows if name.startswith(("ebgan-", "gan-"))]
    assert ranked == [point.name for point in SCORES]
    for name in ("histograms", "depths"):
        assert (folder / f"grid-{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_folder_without_scores_is_refused(folder: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        grid_scores.main([str(folder)])
    assert "holds no point that is scored; ebgan train grid --out" in capsys.readouterr().err

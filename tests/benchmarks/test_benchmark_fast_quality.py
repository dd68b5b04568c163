"""The page of `--fast`'s quality: what it says of runs that are equal, near, apart or not done."""

from __future__ import annotations

import json
import pathlib

import pytest

from benchmarks import fast_quality
from benchmarks.fast_quality import KID, within_spread


def write_run(folder: pathlib.Path, name: str, kid: float, inception: float) -> None:
    run = folder / f"quality-{name}"
    run.mkdir(parents=True)
    samples = {"kid": {"mean": kid}, "classes": {"modified_inception_score": inception}}
    (run / "scores.json").write_text(json.dumps({"scores": {"sets": {"samples": samples}}}))
    rows = [{"step": step, "fake_energy": step + kid} for step in range(1, 40)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(fast_quality, "PAGE", tmp_path / "QUALITY.md")
    monkeypatch.setattr(fast_quality, "CURVES", tmp_path / "curves.png")
    for seed in range(3):
        write_run(tmp_path, f"digits-default-{seed}", 0.1 + seed / 100, 7.0)
        write_run(tmp_path, f"digits-fast-{seed}", 0.1 + seed / 100, 7.0)
        write_run(tmp_path, f"mnist-default-{seed}", 0.1 + seed / 100, 6 + seed / 10)
        write_run(tmp_path, f"mnist-fast-{seed}", 0.1 + seed / 90, 5 + seed / 10)
    write_run(tmp_path, "dogs-default-0", 0.1, 1.0)
    return tmp_path


def test_the_page_tells_equal_near_apart_and_missing_runs(folder: pathlib.Path) -> None:
    assert fast_quality.main([str(folder)]) == 0
    page = (folder / "QUALITY.md").read_text()
    verdicts = {
        tuple(cell.strip() for cell in line.split("|")[1:3]): line.split("|")[-2].strip()
        for line in page.splitlines()
        if line.startswith("| GAN")
    }
    assert verdicts == {
        ("GAN, digits, 8,000 steps", "I'"): "equal to the bit",
        ("GAN, digits, 8,000 steps", "KID"): "equal to the bit",
        ("GAN, MNIST, 2,000 steps", "I'"): "no",
        ("GAN, MNIST, 2,000 steps", "KID"): "yes",
    }
    assert "0.1100 ± 0.0100 (0.1000, 0.1100, 0.1200)" in page
    assert "Not done yet: GAN, 64x64 dogs, 2,000 steps; " in page
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_spread_is_twice_the_standard_error_of_the_difference() -> None:
    """Deviations of 1 each: the error of the difference is sqrt(2 / 3), twice that 1.633."""
    assert within_spread([0, 1, 2], [1.6, 2.6, 3.6])
    assert not within_spread([0, 1, 2], [1.7, 2.7, 3.7])


def test_a_score_is_read_from_its_place() -> None:
    assert KID.of({"sets": {"samples": {"kid": {"mean": 0.25}}}}) == 0.25


def test_a_folder_without_runs_is_refused(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        fast_quality.main([str(tmp_path)])
    assert "holds no system whose six runs are scored" in capsys.readouterr().err

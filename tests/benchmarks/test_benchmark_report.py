"""The report: tables in the README, pictures, and the check that they are not stale."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from benchmarks.report import full_page, load_results, main, readme_block, replace_block
from benchmarks.rows import Results


def report(folder: pathlib.Path, *options: str) -> int:
    return main(["--results", str(folder), "--readme", str(folder / "README.md"), *options])


def test_the_block_shows_how_much_faster_ours_is(results: Results) -> None:
    lines = readme_block([results], "results/").splitlines()
    header = next(line for line in lines if line.startswith("| operator"))
    row = next(line for line in lines if line.startswith("| `discriminator_loss` | 64x3x8x8"))
    names, cells = ([cell.strip() for cell in line.split("|")] for line in (header, row))
    shown = dict(zip(names, cells, strict=True))
    assert shown["**ours**"] == "2.50 ± 0.500" and shown["eager"] == "12.0 ± 0.500"
    assert shown["torch.compile"] == "5.00 ± 0.500"  # the faster of its modes
    assert cells[-3:-1] == ["4.80", "2.00"]  # over eager, over the faster of torch.compile's modes
    assert "- Abacus 3000, 2 threads: torch 2.13.0, commit abc123" in "\n".join(lines)


def test_a_device_without_results_is_not_measured(results: Results) -> None:
    assert "**CUDA GPU**: not measured." in readme_block([results], "results/")
    assert "**CPU**: not measured." in readme_block([], "results/")


def test_the_full_page_has_every_row(results: Results) -> None:
    lines = full_page([results]).splitlines()
    assert sum(line.startswith("| discriminator_loss") for line in lines) == 5
    assert sum(line.startswith("| EBGAN") for line in lines) == 2


def test_only_the_text_between_the_markers_is_replaced() -> None:
    text = "above\n<!-- speed:begin -->\nold\n<!-- speed:end -->\nbelow\n"
    assert replace_block(text, "new", "README.md") == text.replace("old", "new")


def test_results_of_a_quick_run_are_refused(results: Results, tmp_path: pathlib.Path) -> None:
    dataclasses.replace(results, environment=dataclasses.replace(results.environment, quick=True)).save(
        tmp_path
    )
    with pytest.raises(ValueError, match="--quick"):
        load_results(tmp_path)


def test_a_stale_readme_fails_the_check_until_it_is_written(
    results: Results, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    results.save(tmp_path)
    (tmp_path / "README.md").write_text("<!-- speed:begin -->\n<!-- speed:end -->\n")
    assert report(tmp_path, "--check") == 1
    assert "stale" in capsys.readouterr().err
    assert report(tmp_path) == 0
    assert report(tmp_path, "--check") == 0


def test_every_picture_that_the_page_shows_is_written(results: Results, tmp_path: pathlib.Path) -> None:
    pytest.importorskip("matplotlib")
    from benchmarks.plots import draw_headline

    path = draw_headline(results, tmp_path)
    assert path is not None
    assert f"]({path.name})" in full_page([results])
    assert draw_headline(dataclasses.replace(results, rows=results.rows[-2:]), tmp_path) is None


def test_a_readme_without_markers_is_refused_in_one_line(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "README.md").write_text("# Nothing here\n")
    assert report(tmp_path) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "speed:begin" in message

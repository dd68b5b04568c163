"""Result files: what is written is read again, and what is not a result file is refused by name."""

from __future__ import annotations

import pathlib

import pytest

from benchmarks.rows import PartRow, Results, slug
from benchmarks.tables import row_lines


def test_a_result_file_is_read_as_it_was_written(results: Results, tmp_path: pathlib.Path) -> None:
    path = results.save(tmp_path / "new")
    assert path.name == "energy-abacus-3000-2-threads.json"
    assert Results.load(path) == results


def test_what_a_job_consists_of_is_read_and_set_as_a_table(results: Results, tmp_path: pathlib.Path) -> None:
    part = PartRow("EBGAN", "training step", "convolutions", 6.0, 0.1, 0.75)
    with_part = Results("energy", results.environment, (*results.rows, part))
    assert Results.load(with_part.save(tmp_path)) == with_part
    assert row_lines([part])[2].split("|")[3:7] == [" convolutions ", " 6.00 ", " 0.100 ", " 75.0 % "]


def test_a_new_run_replaces_the_rows_of_the_old_one(results: Results, tmp_path: pathlib.Path) -> None:
    results.save(tmp_path)
    path = Results("energy", results.environment, results.rows[:1]).save(tmp_path)
    assert Results.load(path).rows == results.rows[:1]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "[]", '{"benchmark": "energy"}', '{"rows": [{"kind": "Row"}]}'])
def test_another_file_is_refused_in_one_line_that_names_it(content: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "energy.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"^.*energy\.json is not a result file.*measure it again$"):
        Results.load(path)


def test_the_first_variant_of_a_job_is_what_the_others_are_compared_with(results: Results) -> None:
    eager, ours = results.rows[-2:]
    assert (eager.speedup, ours.speedup) == (1.0, pytest.approx(8 / 6))  # type: ignore[union-attr]
    assert ours.loss_share == pytest.approx(0.05)  # type: ignore[union-attr]
    assert ours.per_second == pytest.approx(128 / 0.006)  # type: ignore[union-attr]


def test_a_device_name_becomes_a_plain_file_name() -> None:
    assert slug("NVIDIA H100 (80 GB)/PCIe") == "nvidia-h100-80-gb-pcie"

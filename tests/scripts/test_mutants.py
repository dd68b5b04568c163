"""What is kept of defects that were tried, what the table says of them, and which tests try them first."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import trying
from mutants import Log, table, without_line

MISSED, SAME, SEEN = (f"a.py:{line}: `x < {line}` became `x <= {line}`" for line in (3, 5, 7))


def row(defect: str, outcome: str, test: str | None = None) -> dict[str, object]:
    return {"defect": defect, "area": "data", "outcome": outcome, "test": test, "seconds": 30.0}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    written = Log(tmp_path / "log.jsonl")
    written.add(row(SEEN, "survived"))
    for each in (row(MISSED, "survived"), row(SAME, "survived"), row(SEEN, "noticed", "tests/test_a.py")):
        written.add(each)
    written.add(row("b.py:1: `y` became `z`", "no code"))
    return Log(tmp_path / "log.jsonl")


def test_the_last_outcome_of_a_defect_counts(log: Log) -> None:
    assert {name: each["outcome"] for name, each in log.came.items()} == {
        SEEN: "noticed",
        MISSED: "survived",
        SAME: "survived",
        "b.py:1: `y` became `z`": "no code",
    }
    assert log.seconds == 150 and log.noticed_by(Path("a.py")) == ["tests/test_a.py"]


def test_a_table_counts_what_a_test_could_notice(log: Log) -> None:
    options = argparse.Namespace(count=150, seed=0)
    text = table(log, options, {without_line(SAME): "x is no 5"})
    assert (
        "3 tried, of which 1 change nothing that a test can see. Of the other 2, 1 were noticed: 50.0%"
        in text
    )
    assert "| data | 3 | 1 | 1 |" in text
    survivors, equivalents = text.split("Survivors:")[1].split("Equivalents:")
    assert survivors.split() == f"- {MISSED}".split() and f"- {SAME}: x is no 5" in equivalents
    assert SEEN not in text and "b.py" not in text


def test_a_description_without_its_line_stays_when_lines_come_and_go() -> None:
    assert without_line(MISSED) == "a.py: `x < 3` became `x <= 3`"


def test_the_likeliest_tests_come_first() -> None:
    seconds = {"tests/test_slow.py": 9.0, "tests/test_quick.py": 1.0, "tests/test_of_grids.py": 5.0}
    seconds["tests/test_known.py"] = 7.0
    order = trying.ordered(seconds, Path("python/ebgan/grids.py"), ["tests/test_known.py"])
    assert [Path(file).stem for file in order] == ["test_known", "test_of_grids", "test_quick", "test_slow"]

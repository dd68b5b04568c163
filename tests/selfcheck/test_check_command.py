"""`python -m ebgan_kernels --check`: table, file and exit status, right use and wrong."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.selfcheck import command
from ebgan_kernels.selfcheck.cases import CASES
from ebgan_kernels.selfcheck.report import Results, line
from ebgan_kernels.selfcheck.run import check
from support.faulty_case import Fault, with_fault

GOOD = next(case for case in CASES if case.operator == "hinge_margin_loss")
OTHER = next(case for case in CASES if case.operator == "pulling_away")


def only(*names: ek.Backend) -> object:
    """What says why an implementation is missing, where these alone can run."""
    return lambda name: "" if name in names else "it is taken away"


@pytest.fixture
def few_cases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "CASES", (GOOD, OTHER))
    monkeypatch.setattr(command, "missing", only("cpu"))


@pytest.mark.usefixtures("few_cases")
def test_where_all_passes_the_status_is_0_and_the_file_holds_every_row(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "check.json"
    assert command.main(["--check", "--output", str(file)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[: len(ek.backend_report().splitlines())] == ek.backend_report().splitlines()
    assert [text for text in printed if text.startswith("hinge_margin_loss") and text.endswith("passed")]
    assert "cuda: cannot run: it is taken away" in printed
    assert printed[-2:] == ["2 checks: 2 passed, 0 FAILED, 0 cannot run.", f"The results are in {file}."]

    content = json.loads(file.read_text())
    assert content["complete"] is content["passed"] is True
    assert content["machine"]["torch"] == torch.__version__
    assert content["machine"]["report"] == ek.backend_report().splitlines()
    assert {"python", "platform", "threads", "ebgan_kernels"} <= content["machine"].keys()
    assert content["implementations"] == {
        "cpu": "checked with 2 of 2 cases",
        "cuda": "cannot run: it is taken away",
        "triton": "cannot run: it is taken away",
    }
    row = content["rows"][0]
    assert (row["operator"], row["dtypes"], row["implementation"]) == ("hinge_margin_loss", "float32", "cpu")
    assert row["outcome"] == "passed" and row["error"] >= 0 and row["milliseconds"] > 0


@pytest.mark.parametrize("fault", ["gradient a little too large", "value not a number", "signal"])
def test_a_fault_is_told_the_status_is_1_and_the_others_are_checked(
    fault: Fault,
    few_cases: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "CASES", (with_fault(GOOD, fault), OTHER))
    file = tmp_path / "check.json"
    assert command.main(["--check", "--output", str(file)]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[-2] == "2 checks: 1 passed, 1 FAILED, 0 cannot run."
    assert printed[-3].startswith("FAILED on cpu: hinge_margin_loss (3+4; float32): ")
    content = json.loads(file.read_text())
    assert content["complete"] is True and content["passed"] is False
    assert [row["outcome"] for row in content["rows"]] == ["FAILED", "passed"]
    assert content["rows"][0]["error"] == "nan" or fault != "value not a number"


def test_without_an_implementation_nothing_has_passed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "missing", only())
    assert command.main(["--check", "--output", str(tmp_path / "check.json")]) == 1
    assert "Nothing was checked: no implementation but the reference can run here." in capsys.readouterr().out


def test_what_was_found_before_an_interruption_is_kept(
    few_cases: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(name: ek.Backend, cases: object) -> object:
        yield check(GOOD, name)
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "rows_of", interrupted)
    file = tmp_path / "check.json"
    assert command.main(["--check", "--output", str(file)]) == 1
    assert "The check was stopped before its end." in capsys.readouterr().out
    content = json.loads(file.read_text())
    assert (content["complete"], content["passed"], len(content["rows"])) == (False, False, 1)


@pytest.mark.usefixtures("few_cases")
def test_the_file_is_in_the_current_folder_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(["--check"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["ebgan-kernels-check.json"]


@pytest.mark.parametrize("place", ["nowhere/check.json", "."])
def test_a_file_that_cannot_be_written_is_one_line_before_anything_runs(
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(command, "rows_of", None)
    assert command.main(["--check", "--output", str(tmp_path / place)]) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert f"--output {tmp_path / place} cannot be written (" in printed.err


@pytest.mark.parametrize("arguments", [["--chekc"], ["--che"], ["check"], ["--check", "--output"]])
def test_unknown_options_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(arguments)
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m ebgan_kernels")


def test_a_file_without_a_check_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--output", "check.json"])
    assert caught.value.code == 2
    assert "use it with --check" in capsys.readouterr().err


def test_without_an_option_it_prints_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    assert capsys.readouterr().out == ek.backend_report() + "\n"


def test_the_help_names_both_options_and_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert {"--check", "--output", "ebgan-kernels-check.json"} <= set(re.split(r"[ \n)]+", printed))
    assert "exit status is 0 where" in printed and "; 1 where" in printed and "; and 2 where" in printed


def test_a_line_holds_both_figures_of_a_pair_and_a_reason() -> None:
    row = check(with_fault(GOOD, "gradient a little too large"), "cpu")
    text = line(row)
    assert f"{row.error:.3g} / {row.reference_error:.3g}" in text and text.endswith(row.reason)
    without = line(check(with_fault(GOOD, "error"), "cpu"))
    assert without.endswith("FAILED: RuntimeError: it fails")
    assert without.split("FAILED")[0].split()[-2:] == ["-", "-"]


def test_a_check_of_nothing_or_of_a_part_has_not_passed() -> None:
    row = check(GOOD, "cpu")
    assert not Results({}, complete=True).passed
    assert not Results({}, rows=[row]).passed
    assert Results({}, rows=[row], complete=True).passed


@pytest.mark.slow
def test_every_operator_passes_on_this_machine(tmp_path: pathlib.Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "ebgan_kernels", "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    rows = json.loads((tmp_path / "ebgan-kernels-check.json").read_text())["rows"]
    assert {row["operator"] for row in rows} == {case.operator for case in CASES}
    assert {row["outcome"] for row in rows} == {"passed"}

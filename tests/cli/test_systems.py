"""What holds for every system, made from the descriptions of all: a new one is tested by being there."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from pathlib import Path

import pytest

from ebgan import UserError
from ebgan.cli import main
from ebgan.systems import SYSTEMS, system_of
from ebgan.training import RunFolder, seed_step, trainer

EVERY = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
OPTIONS = sorted({name for system in SYSTEMS for name in system.evaluation})


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)


def untrained(system, path: Path) -> Path:
    """The folder of a run that has not begun."""
    return RunFolder.create(path, system.commands[0], system.preset()).path


def announced(printed: str) -> list[Path]:
    """The pictures that a training says it has drawn."""
    found = [Path(line.split(": ")[1]) for line in printed.splitlines() if line.endswith(".png")]
    assert found
    return found


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a command of these arguments says when it refuses."""
    capfd.readouterr()
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1
    return error


def test_no_two_systems_have_a_name_or_a_command_in_common():
    commands = [command for system in SYSTEMS for command in system.commands]
    assert len(commands) == len(set(commands)) and len({system.name for system in SYSTEMS}) == len(SYSTEMS)


@EVERY
def test_every_field_of_a_configuration_is_an_option_with_its_help(system, capsys):
    with pytest.raises(SystemExit):
        main(["train", system.name, "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", "").split())
    for field in dataclasses.fields(system.config):
        assert f"--{field.name.replace('_', '-')} " in text
    for name, default in system.choosing.items():
        if default is not None:
            assert f"(default: {default})" in text and getattr(system.preset(), name) == default


@EVERY
def test_the_default_preset_trains_on_embedded_data_and_goes_on_after_ctrl_c(system, monkeypatch, capfd):
    arguments = ["train", system.name, "--steps", "3", "--log-every", "1", "--threads", "1"]
    assert main(arguments) == 0
    whole = Path("runs") / system.run_name(system.preset())
    assert all(path.is_file() for path in announced(capfd.readouterr().out))

    def interrupted(seed: int, step: int) -> None:
        seed_step(seed, step)
        if step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "seed_step", interrupted)
        assert main([*arguments, "--out", "halves"]) == 130
    assert main(["train", system.name, "--resume", "halves"]) == 0
    first, second = (
        json.loads((run / "checkpoints" / "step-00000003" / "checkpoint.json").read_text())["sha256"]
        for run in (whole, Path("halves"))
    )
    assert first == second


@EVERY
def test_a_resumed_run_keeps_all_its_options_but_the_steps(system, tmp_path, capfd):
    run = str(untrained(system, tmp_path / "run"))
    for name in {field.name for field in dataclasses.fields(system.config)} - {"steps"}:
        option, value = f"--{name.replace('_', '-')}", getattr(system.preset(), name)
        given = [str(value)] if value is not None else None
        if isinstance(value, bool):
            given = ["True"]
        if given is not None:
            message = f"{option}: a resumed run keeps its own value; leave {option} out"
            assert message in refused(capfd, "train", system.name, "--resume", run, option, *given)
    assert "leave --out out" in refused(capfd, "train", system.name, "--resume", run, "--out", "other")


@EVERY
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--data no-such-data", "no-such-data"),
        ("--steps 0", "--steps: got 0"),
        ("--steps three", "--steps"),
        ("--precision float16", "--precision"),
        ("--no-such-option 1", "--no-such-option"),
        ("--resume nowhere", "nowhere: is not a run folder"),
        ("--device cuda:99", "--device: 'cuda:99' is not there"),
    ],
)
def test_what_is_wrong_with_the_options_of_training_is_one_line(system, capfd, arguments, message):
    assert message in refused(capfd, "train", system.name, *arguments.split())
    assert not Path("runs").exists()


@EVERY
def test_a_run_folder_that_is_there_is_kept(system, tmp_path, capfd):
    run = untrained(system, tmp_path / "run")
    assert "exists already; go on with --resume" in refused(
        capfd, "train", system.name, "--steps", "1", "--out", str(run)
    )
    assert [path.name for path in run.iterdir()] == ["config.json"]


@EVERY
def test_a_run_is_opened_by_its_own_system_alone(system, tmp_path):
    run = untrained(system, tmp_path / "run")
    assert system_of(run) is system
    for other in SYSTEMS:
        if other is not system:
            with pytest.raises(
                UserError, match=f"is a run of 'ebgan train {system.name}', not of 'ebgan train"
            ):
                other.open_run(run)
    assert system.open_run(run)[1] == system.preset()


@EVERY
@pytest.mark.parametrize("option", OPTIONS)
def test_an_evaluation_refuses_every_option_that_its_system_does_not_take(system, option, tmp_path, capfd):
    run = untrained(system, tmp_path / "run")
    said = refused(capfd, "evaluate", str(run), f"--{option}", "5")
    message = (
        f"--{option}: {run} is a run of 'ebgan train {system.name}', whose evaluation does not take it; "
        f"leave --{option} out"
    )
    assert (message in said) is (option not in system.evaluation)


@EVERY
def test_a_run_without_a_checkpoint_is_not_evaluated(system, tmp_path):
    run = untrained(system, tmp_path / "run")
    with pytest.raises(UserError, match=r"no usable checkpoint|no scores"):
        system.evaluate(run)
    assert not (run / "scores.json").exists()


def test_a_run_of_no_known_system_is_named(tmp_path, capfd):
    run = untrained(SYSTEMS[0], tmp_path / "run")
    content = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**content, "command": "train lstm"}))
    said = refused(capfd, "evaluate", str(run))
    assert all(f"'ebgan train {system.name}'" in said for system in SYSTEMS)
    assert "is a run of 'ebgan train lstm', which is not known; known are" in said

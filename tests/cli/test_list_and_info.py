"""The commands that tell what there is: `ebgan list`, `ebgan info` and `ebgan --version`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import ebgan
import ebgan_kernels
from ebgan.cli import main
from ebgan.data import clip_names, names
from ebgan.systems import SYSTEMS
from ebgan.training import RunFolder

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)


def test_there_is_one_version(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert not stop.value.code and capsys.readouterr().out == f"ebgan {ebgan_kernels.__version__}\n"
    assert ebgan.__version__ == ebgan_kernels.__version__
    assert 'version = { attr = "ebgan_kernels.version.__version__" }' in (ROOT / "pyproject.toml").read_text()


def test_the_list_has_every_system_net_preset_and_data_set_in_80_columns(capsys):
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    words = " ".join(text.split())
    for system in SYSTEMS:
        assert f"ebgan train {system.name}" in text
        assert all(f" {name} {about.split()[0]}" in words for name, about in system.nets.items())
        assert all(preset in words for preset in system.presets)
    assert all(f"    {name} " in text for name in (*names(), *clip_names()))
    assert max(map(len, text.splitlines())) <= 80
    assert "no data root is given; to fetch it: ebgan data download mnist --root DIR" in words


def test_the_list_says_which_data_is_there(tmp_path, capsys, monkeypatch):
    (tmp_path / "data" / "mnist").mkdir(parents=True)
    assert main(["list", "--data-root", "data"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "there, in data/mnist" in words and "not in data; put it into the folder ucf101" in words
    assert "to fetch it: ebgan data download fashion-mnist --root data" in words
    assert words.count("always there") == 3 and words.count("name it with --data-root") == 2
    monkeypatch.setenv("EBGAN_DATA", "data")
    assert main(["list"]) == 0
    assert " ".join(capsys.readouterr().out.split()) == words


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_a_run_that_has_not_begun_is_told_and_what_to_do(system, capsys):
    RunFolder.create(Path("run"), system.commands[0], system.preset())
    assert main(["info", "run"]) == 0
    text = capsys.readouterr().out
    assert f"run          run, of 'ebgan {system.commands[0]}'\n" in text
    assert f"0 of {system.preset().steps:,} are done and saved" in text
    assert "none are logged yet" in text and "It has not been evaluated." in text
    assert f"  ebgan {system.commands[0]} --resume run\n" in text and "ebgan evaluate" not in text


def test_a_trained_run_is_told_with_its_settings_metrics_and_scores(capsys):
    short = "train gan --steps 4 --log-every 2 --batch-size 16 --generator-lr 0.002 --out runs/mine"
    assert main(short.split()) == 0
    assert main(["evaluate", "runs/mine", "--samples", "10"]) == 0
    table = json.loads(Path("runs/mine/scores.json").read_text())["table"]
    capsys.readouterr()
    assert main(["info", "runs/mine"]) == 0
    told = capsys.readouterr().out
    assert table in told and max(map(len, told.partition("\n\n")[0].splitlines())) <= 80
    text = " ".join(told.split())
    settings = "--data digits --model ebgan --steps 4 --batch-size 16 --log-every 2 --generator-lr 0.002"
    assert f"settings {settings} steps 4 of 4 are done and saved" in text
    assert (
        "checkpoints of the steps 0, 4 " in text
        and "metrics of step 4 after " in text
        and "real_energy " in text
    )
    assert "Scores of step 4, " in text and told.endswith(
        "What to do next:\n  ebgan evaluate runs/mine\n  ebgan sample runs/mine --count 64\n"
    )


def test_scores_that_cannot_be_read_are_no_reason_to_stop(capsys):
    RunFolder.create(Path("run"), "train gan", SYSTEMS[0].preset())
    (Path("run") / "scores.json").write_text('{"scores": {}}')
    assert main(["info", "run"]) == 0
    assert (
        "scores.json cannot be read, or is of an earlier version: evaluate again." in capsys.readouterr().out
    )

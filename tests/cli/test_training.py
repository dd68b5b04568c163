"""What `ebgan train` says and takes beside the options of a system, for every system."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest
import torch

from ebgan import UserError, ladder
from ebgan.cli import main
from ebgan.systems import SYSTEMS
from ebgan.training import Trainer
from support.image_files import plain

EVERY = pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
QUICK = {
    "gan": "--batch-size 16 --threads 1",
    "ladder": "--layers 16-8 --threads 1",
    "disentangle": "--width 4 --batch-size 8 --threads 1",
    "video": "--width 0.05 --batch-size 2 --threads 1 --size 32",
}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)


def train(name: str, options: str) -> int:
    return main(["train", name, *QUICK[name].split(), *options.split()])


def state(run: str) -> tuple[object, ...]:
    """What must be equal of two runs."""
    newest = max(Path(run, "checkpoints").iterdir())
    rows = [json.loads(line) for line in Path(run, "metrics.jsonl").read_text().splitlines()]
    return json.loads((newest / "checkpoint.json").read_text())["sha256"], [
        {**row, "seconds": 0} for row in rows
    ]


@EVERY
def test_a_run_shorter_than_every_interval_logs_its_last_step_and_announces_what_it_drew(system, capfd):
    assert train(system.name, "--steps 2 --out run") == 0
    (row,) = Path("run/metrics.jsonl").read_text().splitlines()
    assert json.loads(row)["step"] == 2
    printed = capfd.readouterr().out
    announced = re.findall(r"^(\w+): (run/\w+\.png)$", printed, re.MULTILINE)
    assert sorted(path for _, path in announced) == sorted(map(str, Path("run").glob("*.png")))
    trained = system.build(system.open_run("run")[1], torch.device("cpu"), None)
    expected = {*trained.pictures(), *(plot.name for plot in trained.plots)}
    assert {name for name, _ in announced} == expected


@EVERY
def test_a_picture_that_was_not_drawn_is_not_announced(system, monkeypatch, capfd):
    monkeypatch.setattr(Trainer, "_draw", lambda *_: None)
    assert train(system.name, "--steps 1 --out run") == 0
    assert ".png" not in capfd.readouterr().out


@EVERY
def test_the_start_tells_device_data_sizes_and_folder(system, capfd):
    assert train(system.name, "--steps 2 --out run --device cpu") == 0
    first = capfd.readouterr().out.split("\n\n")[0].splitlines()
    told = {line.split()[0]: line[12:] for line in first}
    assert re.fullmatch(r"cpu \(.+\), 1 thread, float32", told["device"])
    _, config = system.open_run("run")
    trained = system.build(config, torch.device("cpu"), None)
    for name, net in trained.modules.items():
        assert f"{name} {sum(each.numel() for each in net.parameters()):,}" in told["parameters"]
    assert config.data in told["data"] and re.search(r"\d,\d{3} (images|examples|clips)", told["data"])
    assert told["steps"] == f"2, of {config.batch_size} examples each" and told["folder"] == "run"


@EVERY
def test_what_to_do_next_are_commands_that_work(system, capfd):
    """But for the clip of the user's own."""
    assert train(system.name, "--steps 2 --out runs/a.b") == 0
    said = capfd.readouterr().out.partition("What to do next:\n")[2]
    commands = [shlex.split(line)[1:] for line in said.splitlines() if line]
    assert all("runs/a.b" in command for command in commands)
    names = {command[0] for command in commands}
    least = {
        "gan": {"sample", "train"},
        "ladder": {"evaluate"},
        "disentangle": {"evaluate", "transfer", "train"},
        "video": {"predict", "train"},
    }
    assert names >= least[system.name]
    for command in commands:
        if "CLIP.mp4" not in command and not (system.name == "video" and command[0] == "evaluate"):
            assert main(command) == 0


def test_a_folder_with_a_space_is_quoted_in_what_to_do_next(capfd):
    arguments = ["train", "gan", *QUICK["gan"].split(), "--steps", "1", "--out", "my runs/first"]
    assert main(arguments) == 0
    assert "ebgan sample 'my runs/first' --count 64" in capfd.readouterr().out


def test_more_steps_are_not_offered_where_the_schedule_takes_none(capfd):
    assert train("ladder", "--steps 2 --out run") == 0
    assert "--resume" not in capfd.readouterr().out
    assert train("ladder", "--steps 2 --schedule-steps 9 --out other") == 0
    assert "ebgan train ladder --resume other --steps 4" in capfd.readouterr().out


@EVERY
def test_a_stored_configuration_gives_the_same_run_and_options_override_it(system, capfd):
    assert train(system.name, "--steps 2 --seed 3 --log-every 1 --out first") == 0
    assert main(f"train {system.name} --config first/config.json --out second".split()) == 0
    assert state("first") == state("second")
    first, second = (json.loads(Path(run, "config.json").read_text()) for run in ("first", "second"))
    assert first == second
    assert main(f"train {system.name} --config first/config.json --seed 4 --out third".split()) == 0
    assert system.open_run("third")[1] == dataclasses.replace(system.open_run("first")[1], seed=4)


@EVERY
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, "'colour' is no option of 'ebgan train"),
        ({"batchsize": 7}, "did you mean batch_size?"),
        ({"batch_size": "many"}, "'batch_size' has 'many', which is of no use there"),
        ({"steps": 0}, "steps: got 0"),
    ],
)
def test_a_configuration_that_says_what_is_not_known_is_refused_in_words(system, capfd, change, words):
    stored = {"command": system.commands[0], "config": dataclasses.asdict(system.preset()) | change}
    Path("mine.json").write_text(json.dumps(stored))
    assert main(f"train {system.name} --config mine.json --out run".split()) == 2
    error = capfd.readouterr().err
    assert error.startswith("ebgan: mine.json: ") and error.count("\n") == 1 and words in error
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            "train gan --config nowhere.json",
            "config: nowhere.json is not a file; name the config.json of a run",
        ),
        ("train gan --config .", "config: . is not a file"),
        ("train video --config gan.json", "is a run of 'ebgan train gan', not of 'ebgan train video'"),
        ("train gan --config gan.json --margin -1", "margin: got -1"),
        ("train gan --config gan.json --resume run", "leave --config out"),
        ("train gan --dry-run --resume run", "leave --dry-run out"),
    ],
)
def test_a_wrong_use_of_a_stored_configuration_is_one_line(capfd, arguments, words):
    config = dataclasses.asdict(SYSTEMS[0].preset())
    Path("gan.json").write_text(json.dumps({"command": "train gan", "config": config}))
    assert main(arguments.split()) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and words in error


@EVERY
def test_a_dry_run_tells_settings_memory_and_time_and_writes_nothing(system, tmp_path, capfd):
    assert train(system.name, "--dry-run --steps 400 --picture-every 100") == 0
    assert list(tmp_path.iterdir()) == []
    told = {line.split()[0]: line[12:] for line in capfd.readouterr().out.splitlines() if line}
    assert re.fullmatch(r"[\d,.]+ [MG]B of the process at most", told["memory"])
    step = re.fullmatch(r"([\d.]+) (m?s), median of \d+", told["step"])
    assert step and told["total"].startswith("about ") and told["pictures"].startswith("4 times ")
    assert re.fullmatch(r"[\d,.]+ MB each, 2 kept: [\d,.]+ MB", told["checkpoints"])
    for field in dataclasses.fields(system.config):
        assert field.name in told
    assert told["folder"] == f"runs/{system.run_name(system.configure())}"


def test_a_dry_run_measures_the_checkpoint_that_a_run_writes(capfd):
    options = "--steps 1 --picture-every 1"
    assert train("gan", f"{options} --out run") == 0
    size = sum(path.stat().st_size for path in Path("run/checkpoints/step-00000001").glob("*.safetensors"))
    found = SYSTEMS[0].rehearse(SYSTEMS[0].open_run("run")[1], "other", device="cpu")[1]
    assert found.checkpoint == pytest.approx(size, rel=0.02)
    assert found.seconds == pytest.approx(found.step_seconds + found.picture_seconds)


def test_a_dry_run_is_refused_where_the_run_would_be(capfd):
    Path("full").mkdir()
    Path("full/thesis.tex").write_text("years of work")
    assert train("gan", "--dry-run --out full") == 2
    assert "full: exists already" in capfd.readouterr().err


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.png").write_bytes(plain((9 * number, 99, 200), (64, 64)))
    return folder


def test_the_root_of_the_data_is_remembered_by_the_run(photographs, capfd):
    small = "train gan --data images --generator-width 16 --discriminator-width 2 --batch-size 4 --steps 1"
    assert main(f"{small} --data-root photographs --out run".split()) == 0
    assert json.loads(Path("run/config.json").read_text())["data_root"] == str(photographs)
    assert main(["train", "gan", "--resume", "run", "--steps", "2"]) == 0
    assert main(["evaluate", "run", "--samples", "4"]) == 0
    assert main(["train", "gan", "--config", "run/config.json", "--out", "again"]) == 0

    photographs.rename("moved")
    for command in (
        "evaluate run --samples 4",
        "train gan --config run/config.json --out third",
        "train gan --resume run --steps 3",
    ):
        capfd.readouterr()
        assert main(command.split()) == 2
        error = capfd.readouterr().err
        assert error.count("\n") == 1
        gone = f"--data-root: run/config.json remembers {photographs}, which is gone; give --data-root"
        assert gone in error
        assert main([*command.split(), "--data-root", "moved"]) == 0
    moved = str(photographs.parent / "moved")
    assert json.loads(Path("run/config.json").read_text())["data_root"] == moved
    assert main(["train", "gan", "--resume", "run", "--steps", "4"]) == 0


def test_a_run_of_an_earlier_version_is_opened_without_what_it_could_not_know(tmp_path):
    for system in SYSTEMS:
        config = dataclasses.asdict(system.preset())
        del config["keep"]
        stored = {"command": system.commands[0], "config": config}
        Path("config.json").write_text(json.dumps(stored))
        run, read = system.open_run(tmp_path)
        assert read == system.preset() and run.data_root() is None


def test_python_takes_strings_and_chooses_the_device(capfd):
    config = dataclasses.replace(ladder.preset(), steps=2, layers="16-8", threads=1)
    ladder.train(config, "run")
    with pytest.raises(UserError, match="has done 2 already"):
        ladder.resume("run")
    assert ladder.evaluate_run("run").examples == 355
    assert not ladder.trained_network("run", "cpu").training


@EVERY
def test_a_batch_size_with_a_figure_too_many_is_refused_at_once(system, tmp_path, capfd):
    options = re.sub(r"--batch-size \d+ ", "", QUICK[system.name])
    assert main(["train", system.name, *options.split(), "--batch-size", "100000000"]) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and "--batch-size: got 100000000, which makes batches of" in error
    assert list(tmp_path.iterdir()) == []

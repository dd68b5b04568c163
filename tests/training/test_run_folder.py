from __future__ import annotations

import dataclasses
import json

import pytest

from ebgan import UserError
from ebgan.gan import GanConfig
from ebgan.training import RunFolder
from ebgan.video import VideoConfig, preset


def test_a_configuration_comes_back_as_it_was(tmp_path, tiny):
    run = RunFolder.create(tmp_path / "run", "train gan", tiny(seed=3))
    assert run.read_config(GanConfig) == tiny(seed=3)
    assert run.command() == "train gan"


def test_an_optional_choice_comes_back_given_or_not(tmp_path):
    for bounce in (None, "random"):
        config = dataclasses.replace(preset("8to8"), bounce=bounce)
        run = RunFolder.create(tmp_path / str(bounce), "train video", config)
        assert run.read_config(VideoConfig) == config
    run.config.write_text(run.config.read_text().replace('"random"', '"sideways"'))
    with pytest.raises(UserError, match="'bounce' has 'sideways'"):
        run.read_config(VideoConfig)


@pytest.mark.parametrize(("command", "replace"), [("train gan", False), ("train gan", True), ("demo", False)])
def test_an_existing_folder_is_kept(tmp_path, tiny, command, replace):
    RunFolder.create(tmp_path / "run", "demo", tiny())
    with pytest.raises(UserError, match="exists already; go on with --resume"):
        RunFolder.create(tmp_path / "run", command, tiny(), replace=replace)
    assert (tmp_path / "run" / "config.json").exists()


def test_only_an_earlier_run_of_the_same_command_is_replaced(tmp_path, tiny):
    first = RunFolder.create(tmp_path / "run", "demo", tiny())
    (first.path / "samples.png").write_bytes(b"old")
    RunFolder.create(tmp_path / "run", "demo", tiny(), replace=True)
    assert [path.name for path in first.path.iterdir()] == ["config.json"]


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path, tiny):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="is not a run folder"):
        RunFolder.create(tmp_path, "demo", tiny(), replace=True)
    assert (tmp_path / "thesis.tex").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"margin": "ten"}, "'margin' has 'ten'"),
        ({"margin": -1.0}, "margin: got -1.0"),
        ({"distance": "l3"}, "'distance' has 'l3'"),
        ({"dropout": 1}, "'dropout' has 1"),
        ({"colour": "red"}, "'colour' is no option of 'ebgan train gan'; remove it"),
        ({"margn": 3.0}, "'margn' is no option of 'ebgan train gan'; did you mean margin"),
        ({"steps": True}, "'steps' has True"),
    ],
)
def test_a_configuration_changed_by_hand_names_the_field(tmp_path, tiny, change, message):
    run = RunFolder.create(tmp_path / "run", "train gan", tiny())
    content = json.loads(run.config.read_text())
    content["config"] |= change
    run.config.write_text(json.dumps(content))
    with pytest.raises(UserError, match=message) as error:
        run.read_config(GanConfig)
    assert str(run.config) in str(error.value)


@pytest.mark.parametrize(
    "content", ['{"command": "train gan", "conf', "[]", "{}", '{"command": "x", "config": 3}']
)
def test_a_damaged_configuration_is_named_in_one_line(tmp_path, tiny, content):
    run = RunFolder.create(tmp_path / "run", "train gan", tiny())
    run.config.write_text(content)
    with pytest.raises(UserError, match=r"config\.json: ") as error:
        run.read_config(GanConfig)
    assert "\n" not in str(error.value)


def test_a_missing_field_is_named(tmp_path, tiny):
    run = RunFolder.create(tmp_path / "run", "train gan", tiny())
    content = json.loads(run.config.read_text())
    del content["config"]["beta1"]
    run.config.write_text(json.dumps(content))
    with pytest.raises(UserError, match="'beta1' is missing"):
        run.read_config(GanConfig)


def test_a_field_that_was_renamed_is_read_by_its_former_name(tmp_path):
    config = preset("4to1", "adv")
    run = RunFolder.create(tmp_path / "run", "train video", config)
    content = json.loads(run.config.read_text())
    content["config"]["config"] = content["config"].pop("net")
    run.config.write_text(json.dumps(content))
    assert run.read_config(VideoConfig) == config
    content["config"]["config"] = "5to5"
    run.config.write_text(json.dumps(content))
    with pytest.raises(UserError, match="'net' has '5to5'"):
        run.read_config(VideoConfig)

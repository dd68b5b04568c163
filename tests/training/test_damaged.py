"""A damaged checkpoint is never replaced by an older one unasked, but by `resume`, which says so plainly."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ebgan import UserError, disentangle, gan, ladder, video
from ebgan.cli import main
from ebgan.disentangle.runs import trained_nets
from ebgan.systems import SYSTEMS, system_of
from support.video_files import wandering, write_video

CPU = torch.device("cpu")
OFTEN = {"steps": 3, "checkpoint_every": 2, "keep": 9, "batch_size": 10, "threads": 1}
SMALL = {
    "gan": gan.preset(),
    "ladder": dataclasses.replace(ladder.preset(), layers="16-8"),
    "disentangle": dataclasses.replace(disentangle.preset(), width=4),
    "video": dataclasses.replace(video.preset("4to1", "l1"), width=0.05, size=32),
}
LOADERS: dict[str, Callable[..., torch.nn.Module]] = {
    "gan": gan.trained_generator,
    "ladder": ladder.trained_network,
    "video": video.trained_generator,
}


def trained_encoder(path: Path, device: torch.device, *, step: int | None = None) -> torch.nn.Module:
    run, config = disentangle.open_run(path, step=step)
    encoder, _ = trained_nets(run, config, (1, 8, 8), device)
    return encoder


LOADERS["disentangle"] = trained_encoder
EVERY = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a run of each system, with checkpoints of the steps 0, 2 and 3, and a clip."""
    folder = tmp_path_factory.mktemp("trained")
    for system in SYSTEMS:
        system.train(dataclasses.replace(SMALL[system.name], **OFTEN), folder / system.name, device=CPU)
    write_video(folder / "clip.mkv", wandering(12, 32, 32))
    return folder


def damage(run: Path, *steps: int) -> None:
    for step in steps:
        file = run / "checkpoints" / f"step-{step:08d}" / "weights.safetensors"
        file.write_bytes(file.read_bytes()[:-9])


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained, tmp_path / "runs")
    return tmp_path / "runs"


def test_every_system_is_among_those_that_are_tested():
    assert set(SMALL) == set(LOADERS) == {system.name for system in SYSTEMS}


@EVERY
def test_a_damaged_newest_checkpoint_is_an_error_that_names_the_file_and_the_whole_ones(runs, name):
    run = runs / name
    damage(run, 3)
    for load in (LOADERS[name], system_of(run).evaluate):
        if load != gan.SYSTEM.evaluate:  # which may have no scores of such images
            with pytest.raises(UserError, match=r"step-00000003/weights\.safetensors: cut short") as error:
                load(run, device=CPU)
            assert str(error.value).endswith("; restore it, or take that of step 2 with --step")
    assert not (run / "scores.json").exists()


@EVERY
def test_the_untrained_step_0_is_never_offered(runs, name):
    damage(runs / name, 2, 3)
    with pytest.raises(UserError, match="restore it, or train again: no other is whole"):
        LOADERS[name](runs / name, CPU)


@EVERY
def test_a_checkpoint_is_chosen_by_its_step(runs, name):
    run, load = runs / name, LOADERS[name]
    by_step = {step: load(run, CPU, step=step).state_dict() for step in (0, 2, 3)}
    newest = load(run, CPU).state_dict()
    torch.testing.assert_close(newest, by_step[3], rtol=0, atol=0)
    key = next(iter(newest))
    assert not torch.equal(by_step[2][key], by_step[3][key])
    assert not torch.equal(by_step[0][key], by_step[2][key])
    damage(run, 3)
    torch.testing.assert_close(load(run, CPU, step=2).state_dict(), by_step[2], rtol=0, atol=0)
    with pytest.raises(UserError, match=r"step: got 7, but .* are of the steps 0, 2, 3"):
        load(run, CPU, step=7)


@EVERY
def test_damaged_moments_of_the_optimisers_are_no_matter_to_who_loads_weights(runs, name):
    (runs / name / "checkpoints" / "step-00000003" / "optimizers.safetensors").write_bytes(b"damaged")
    LOADERS[name](runs / name, CPU)


@EVERY
@pytest.mark.parametrize(
    ("damaged", "words"),
    [
        ((3,), "step-00000002, step 2: the steps after it are done again"),
        ((2, 3), "step-00000000, step 0, the untrained networks: the steps after it are done again"),
    ],
)
def test_resume_says_plainly_what_it_falls_back_to(runs, name, damaged, words, capfd):
    damage(runs / name, *damaged)
    system_of(runs / name).resume(runs / name, device=CPU)
    (told,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("ebgan: ")]
    assert told.startswith("ebgan: skipped ") and told.endswith(words)
    assert all(f"step-0000000{step}/weights.safetensors" in told for step in damaged)


@pytest.mark.parametrize(
    "command", ["sample gan --out new.png", "predict video clip.mkv --frames 2 --out new", "evaluate ladder"]
)
def test_every_command_that_loads_a_run_refuses_and_takes_a_step(runs, monkeypatch, capfd, command):
    monkeypatch.chdir(runs)
    damage(runs / command.split()[1], 3)
    assert main(command.split()) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and error.endswith("restore it, or take that of step 2 with --step\n")
    assert not list(runs.glob("new*"))
    assert main([*command.split(), "--step", "1"]) == 2
    assert "--step: got 1, but" in capfd.readouterr().err
    assert main([*command.split(), "--step", "2"]) == 0
    if command == "evaluate ladder":
        assert '"step": 2' in (runs / "ladder" / "scores.json").read_text()


def test_a_run_without_a_step_is_loaded_and_said_to_be_untrained(runs, capfd):
    for step in (2, 3):
        shutil.rmtree(runs / "gan" / "checkpoints" / f"step-0000000{step}")
    gan.trained_generator(runs / "gan", CPU)
    told = f"ebgan: {runs / 'gan'} has saved no step yet: its networks are untrained\n"
    assert capfd.readouterr().err == told

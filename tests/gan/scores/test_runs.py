from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.cli import main
from ebgan.data import load
from ebgan.gan import PRESETS, build_generator, open_run, trained_generator
from ebgan.gan.scores import NETWORKS, evaluate
from ebgan.training import seed_step


@pytest.fixture(scope="module")
def photographs(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for number in range(12):
        pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory, photographs) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    sizes = "--generator-width 16 --discriminator-width 4 --batch-size 4 --steps 2"
    arguments = f"train gan --data images --data-root {photographs} --out {out} {sizes}"
    assert main(arguments.split()) == 0
    return out


def test_a_run_is_scored_and_the_scores_are_kept_with_where_they_come_from(run, photographs, capsys):
    assert main(f"evaluate {run} --samples 6 --data-root {photographs} --device cpu".split()) == 0
    printed = capsys.readouterr().out
    kept = json.loads((run / "scores.json").read_text())
    assert kept["scores"]["sha256"] == NETWORKS["images"].sha256
    assert NETWORKS["images"].sha256 in printed and str(run / "scores.json") in printed
    assert (kept["samples"], kept["step"], kept["scores"]["seed"]) == (6, 2, 0)
    assert (kept["command"], kept["config"]["data"], kept["device"]) == ("train gan", "images", "cpu")
    assert kept["versions"]["torch"] == torch.__version__ and kept["date"]
    assert list(kept["scores"]["sets"]) == ["samples", "real", "untrained", "pixel noise"]


def test_the_scores_are_those_of_the_trained_generator_and_of_the_same_one_untrained(run, photographs):
    assert main(f"evaluate {run} --samples 6 --data-root {photographs} --device cpu".split()) == 0
    kept = json.loads((run / "scores.json").read_text())["scores"]["sets"]
    _, config = open_run(run)
    seed_step(config.seed, 0)
    untrained = build_generator(config)
    training = load("images", root=photographs, size=64)
    trained = trained_generator(run, torch.device("cpu"))
    expected = evaluate(trained, training, network="images", untrained=untrained, count=6)
    assert {name: one["kid"]["mean"] for name, one in kept.items()} == {
        name: one.kid.mean for name, one in expected.sets.items()
    }
    assert kept["samples"] != kept["untrained"]


def test_images_need_their_root_where_the_run_remembers_none(run, tmp_path, capfd, monkeypatch):
    monkeypatch.setenv("EBGAN_DATA", "somewhere")
    assert main(["evaluate", str(run), "--samples", "6"]) == 0
    old = shutil.copytree(run, tmp_path / "old")
    stored = json.loads((old / "config.json").read_text())
    (old / "config.json").write_text(json.dumps({**stored, "data_root": None}))
    capfd.readouterr()
    assert main(["evaluate", str(old), "--samples", "6"]) == 2
    assert "--data-root" in capfd.readouterr().err


@pytest.mark.parametrize("model", ["ebgan", "gan"])
def test_a_run_on_the_defaults_is_scored(tmp_path, monkeypatch, capfd, model):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "gan", "--model", model, "--steps", "2"]) == 0
    run = "gan-digits" if model == "ebgan" else "gan-digits-baseline"
    capfd.readouterr()
    assert main(["evaluate", f"runs/{run}", "--samples", "600", "--device", "cpu"]) == 0
    printed = capfd.readouterr()
    assert NETWORKS["digits"].sha256 in printed.out and "part 16 of 16 (100%)" in printed.err
    kept = json.loads(Path("runs", run, "scores.json").read_text())
    assert kept["table"] in printed.out
    assert list(kept["scores"]["sets"]["samples"]["classes"]["shares"]) == list("0123456789")


def test_images_without_a_network_of_their_own_are_scored_by_that_of_photographs(tmp_path, capfd):
    out = tmp_path / "padded"
    sizes = ["--net", "mnist", "--generator-width", "8", "--discriminator-width", "8"]
    assert main(["train", "gan", "--steps", "1", "--batch-size", "4", *sizes, "--out", str(out)]) == 0
    capfd.readouterr()
    assert main(["evaluate", str(out), "--samples", "20"]) == 0
    kept = json.loads((out / "scores.json").read_text())["scores"]
    assert kept["network"] == "images" and kept["sha256"] == NETWORKS["images"].sha256
    assert 0 <= kept["separation"] <= 1 and kept["nearest"]["count"] == 20
    assert (out / "nearest.png").stat().st_size > 0


def test_a_run_without_a_checkpoint_is_refused(run, tmp_path, photographs, capfd):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_bytes((run / "config.json").read_bytes())
    assert main(["evaluate", str(bare), "--data-root", str(photographs)]) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and "no usable checkpoint" in error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--samples 1", "--samples: got 1"),
        ("--seed -1", "--seed: got -1"),
        ("--device tpu", "--device: got 'tpu'"),
        ("--data-root nowhere", "nowhere"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(run, capfd, options, message):
    assert main(["evaluate", str(run), *options.split()]) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and message in error


def test_a_folder_that_is_no_run_is_refused(tmp_path, capfd):
    assert main(["evaluate", str(tmp_path / "nowhere")]) == 2
    assert "nowhere: is not a run folder" in capfd.readouterr().err


def test_every_data_set_of_the_presets_is_scored_or_refused_by_name():
    assert set(NETWORKS) <= {data for settings in PRESETS.values() for data in settings}

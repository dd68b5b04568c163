from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from PIL import Image

from ebgan.cli import main
from ebgan.gan import EBGAN
from ebgan.systems import SYSTEMS
from support.image_files import plain

SHORT = ["--log-every", "5", "--checkpoint-every", "10", "--batch-size", "16"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["train"],
        *(["train", system.name] for system in SYSTEMS),
        ["sample"],
        ["predict"],
        ["evaluate"],
        ["data", "download"],
        ["demo"],
        ["energies"],
    ],
)
def test_help_explains_every_command(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main([*arguments, "--help"])
    assert stop.value.code == 0
    assert "usage: ebgan" in capsys.readouterr().out


def test_help_of_training_shows_the_value_of_each_preset(capsys):
    with pytest.raises(SystemExit):
        main(["train", "gan", "--help"])
    text = " ".join(capsys.readouterr().out.replace("│", "").split())
    assert "(default: 3; mnist, fashion-mnist: 10; images: 14; sprites: 25; yale-b: 17.3)" in text


def test_a_trained_run_can_be_sampled_and_resumed(tmp_path):
    run, picture = tmp_path / "run", tmp_path / "nine.png"
    assert main(["train", "gan", "--steps", "10", "--out", str(run), *SHORT]) == 0
    for name in ("config.json", "metrics.jsonl", "samples.png", "energies.png", "samples/step-00000010.png"):
        assert (run / name).stat().st_size > 0
    assert main(["train", "gan", "--resume", str(run), "--steps", "20"]) == 0
    assert (run / "checkpoints" / "step-00000020").is_dir()
    assert main(["sample", str(run), "--count", "9", "--out", str(picture)]) == 0
    assert np.asarray(Image.open(picture)).shape == (3 * 72 + 8, 3 * 72 + 8, 3)


def test_a_gan_of_the_users_own_images_can_be_trained_and_sampled(tmp_path, capsys):
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for number, (mode, colour) in enumerate([("RGB", (9, 9, 200)), ("L", 40), ("RGBA", (0, 200, 0, 99))]):
        (photographs / f"{number}.png").write_bytes(plain(colour, (70 + number, 90), mode))
    (photographs / "broken.jpg").write_bytes(b"no image")
    run = tmp_path / "run"
    widths = ["--generator-width", "16", "--discriminator-width", "2"]
    arguments = ["train", "gan", "--data", "images", "--data-root", str(photographs), "--steps", "2", *widths]
    assert main([*arguments, "--batch-size", "4", "--log-every", "1", "--out", str(run)]) == 0
    assert main(["sample", str(run), "--count", "4", "--out", str(tmp_path / "four.png")]) == 0
    assert np.asarray(Image.open(tmp_path / "four.png")).shape == (2 * 72 + 8, 2 * 72 + 8, 3)
    said = capsys.readouterr().out
    for name in ("samples", "energies", "hinge"):
        assert (run / f"{name}.png").is_file() and f"{name}: {run / name}.png" in said


def test_ctrl_c_saves_and_exits_with_130(tmp_path, monkeypatch, capfd):
    step = EBGAN.step

    def interrupted(system: EBGAN, number: int) -> object:
        if number == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return step(system, number)

    monkeypatch.setattr(EBGAN, "step", interrupted)
    run = tmp_path / "run"
    assert main(["train", "gan", "--steps", "50", "--out", str(run), *SHORT]) == 130
    assert f"ebgan: stopped and saved at step 7; go on with --resume {run}" in capfd.readouterr().err
    assert (run / "checkpoints" / "step-00000007").is_dir()

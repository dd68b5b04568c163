from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ebgan.cli import main
from support.image_files import plain


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train gan --data cifar", "--data: got 'cifar', allowed are digits, mnist, fashion-mnist"),
        ("train gan --data mnist", "needs a data root"),
        ("train gan --data mnist --data-root nowhere", "'nowhere', which is not a folder"),
        ("train gan --margin -1", "--margin: got -1.0"),
        ("train gan --margin nan", "--margin: got nan"),
        ("train gan --margin ten", "--margin: got 'ten', allowed is a number"),
        ("train gan --margn 10", "--margn: is no option; did you mean --margin?; see --help"),
        ("train gan --batch-size 1", "--batch-size: got 1, batch normalisation needs at least 2"),
        ("train gan --steps 0", "--steps: got 0"),
        ("train gan --distance l3", "--distance: got 'l3', allowed is l2, squared_l2, mse, l1"),
        ("train gan --net dcgan", "--net: got 'dcgan'"),
        ("train gan --beta1 1", "--beta1: got 1.0"),
        ("train gan --model wgan", "--model: got 'wgan', allowed is ebgan, gan; did you mean gan?"),
        (
            "train gan --data images --model gan",
            "there are no settings of 'gan' for 'images', only for digits",
        ),
        ("train gan --data mnist --model gan --margin 3", "--margin: got 3.0, but --model gan has none"),
        ("train gan --pulling-away-weight -1", "--pulling-away-weight: got -1.0"),
        ("train gan --data images", "'images' needs a root of its own"),
        ("train gan --data images --data-root nowhere.zip", "nowhere.zip"),
        ("train gan --data images --data-root empty", "empty holds no image"),
        ("train gan --data images --data-root pictures --generator-width 12", "--generator-width: got 12"),
        (
            "train gan --data images --data-root pictures --generator-layers 5",
            "--generator-layers: the generator of net 'celeba-64' has no",
        ),
        ("train gan --data digits --net mnist --generator-width 0", "--generator-width: got 0"),
        ("train gan --data digits --net celeba-64", "'celeba-64' is for 3-channel images, 'digits' has 1"),
        ("train gan --device tpu", "--device: got 'tpu'"),
        ("train gan --device cuda:99", "--device: 'cuda:99' is not there"),
        ("train gan --out full", "full: exists already; go on with --resume full"),
        ("train gan --resume nowhere", "nowhere: is not a run folder"),
        ("train gan --resume nowhere --margin 3", "leave --margin out"),
        ("train gan --resume nowhere --data digits", "leave --data out"),
        ("train lstm", "unknown command 'lstm': allowed are gan, ladder, video, disentangle, grid"),
        (
            "train",
            "ebgan train: a command is missing, allowed are gan, ladder, video, disentangle, grid",
        ),
        ("sample nowhere", "nowhere: is not a run folder"),
        ("sample full --count 0", "--count: got 0"),
        ("sample full --out picture.gif", "--out: got '.gif'"),
        ("predict nowhere clip.mp4", "nowhere: is not a run folder"),
        ("evaluate nowhere", "nowhere: is not a run folder"),
        ("data download cifar --root data", "unknown data set 'cifar'"),
        ("data download digits --root data", "embedded"),
        ("demo --out full", "full: is not a run folder"),
        ("dance", "unknown command 'dance'"),
        ("", "demo, train, sample, predict, transfer, evaluate, energies, info, list, data"),
    ],
)
def test_a_users_error_is_one_line_and_code_2(tmp_path, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    for folder in ("full", "empty", "pictures"):
        (tmp_path / folder).mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    (tmp_path / "pictures" / "one.png").write_bytes(plain((255, 0, 0)))

    assert main(arguments.split()) == 2

    error = capfd.readouterr().err
    assert error.startswith("ebgan: ") and error.count("\n") == 1 and error.endswith("\n")
    assert message in error
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("package", ["tyro", "tqdm", "safetensors", "tensorboard"])
def test_a_missing_extra_is_one_line_that_says_how_to_get_it(tmp_path, monkeypatch, capfd, package):
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["train", "gan", "--steps", "1", "--out", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()
    assert f"{package!r} is missing: pip install 'ebgan-kernels[train]'" in capfd.readouterr().err


def test_importing_the_systems_needs_no_extra():
    script = (
        "import sys, ebgan, ebgan.gan, ebgan.video, ebgan.data\n"
        "extras = {'tyro', 'safetensors', 'tensorboard', 'matplotlib', 'PIL', 'sklearn', 'av', 'cv2'}\n"
        "print(extras & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "set()\n")


def test_python_m_ebgan_prints_no_traceback(tmp_path: Path):
    command = [sys.executable, "-m", "ebgan", "sample", str(tmp_path / "nowhere")]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 2
    assert found.stderr.startswith("ebgan: ") and found.stderr.count("\n") == 1

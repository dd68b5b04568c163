"""FID and KID in the features of the user's own network, and what is said of files that are none."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor, nn
from torch.export import Dim

from ebgan import UserError
from ebgan.cli import main
from ebgan.gan.scores.extractor import distances, load_extractor
from ebgan.gan.scores.kid import kernel_inception_distance
from ebgan.gan.scores.networks import load_network
from scripts import export_extractor

SMALL = ["--generator-width", "8", "--discriminator-width", "8", "--batch-size", "4", "--threads", "1"]


class Wrong(nn.Module):
    """A network that gives something else than one row of features an image."""

    def __init__(self, give: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.give = give

    def forward(self, images: Tensor) -> object:
        return self.give(images.float())


def exported(network: nn.Module, path: Path, *, dynamic: bool = True) -> Path:
    shapes = {0: Dim("n"), 2: Dim("h"), 3: Dim("w")} if dynamic else None
    images = torch.zeros(2, 3, 9, 7, dtype=torch.uint8)
    torch.export.save(torch.export.export(network, (images,), dynamic_shapes=(shapes,)), path)
    return path


@pytest.fixture(scope="module")
def of_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("extractors") / "digits.pt2"
    assert export_extractor.main(["digits", "--out", str(path)]) == 0
    return path


def test_the_exported_score_network_gives_its_features_of_any_number_and_size(of_digits: Path):
    extractor = load_extractor(of_digits)
    assert extractor.sha256 == hashlib.sha256(of_digits.read_bytes()).hexdigest()
    images = torch.randint(0, 256, (7, 1, 8, 8)) / 127.5 - 1
    with torch.no_grad():
        expected = load_network("digits")(images).features
    found = extractor.features([images[:5], images[5:]])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert extractor.features([torch.zeros(3, 3, 20, 12)]).shape == (3, 128)


def test_fid_is_its_formula_and_kid_that_of_our_own():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(300, 6, generator=random)
    y = torch.randn(400, 6, generator=random) @ torch.randn(6, 6, generator=random) + 0.5
    found = distances(x, y)
    mean = [each.double().mean(0).numpy() for each in (x, y)]
    cov = [np.cov(each.double().numpy(), rowvar=False) for each in (x, y)]
    expected = ((mean[0] - mean[1]) ** 2).sum() + np.trace(cov[0] + cov[1] - 2 * sqrtm(cov[0] @ cov[1]).real)
    assert found.fid == pytest.approx(expected, rel=1e-6) and found.count == 300
    ours = kernel_inception_distance(x, y, subset_size=300)
    assert found.kid.mean == pytest.approx(ours.mean, abs=4 * (ours.std or 0) / 10)
    assert distances(x, x).fid == pytest.approx(0, abs=1e-9)


def test_the_subsets_follow_from_the_seed_and_leave_the_random_numbers_alone():
    random = torch.Generator().manual_seed(0)
    x, y = (torch.randn(1500, 4, generator=random) for _ in range(2))
    before = torch.get_rng_state()
    first, again, other = distances(x, y, seed=1), distances(x, y, seed=1), distances(x, y, seed=2)
    assert torch.equal(before, torch.get_rng_state())
    assert first == again and first.kid.mean != other.kid.mean and first.fid == other.fid


@pytest.mark.parametrize("data", ["digits", "images"])
def test_a_run_is_scored_by_an_extractor_beside_the_other_scores(
    data: str, of_digits: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd
):
    monkeypatch.chdir(tmp_path)
    options = ["--data", data, "--steps", "1", "--out", "run", *SMALL]
    if data == "images":
        Image = pytest.importorskip("PIL.Image")
        (tmp_path / "photographs").mkdir()
        random = np.random.default_rng(0)
        for number in range(9):
            pixels = random.integers(0, 256, (64, 64, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photographs" / f"{number}.png")
        options += ["--data-root", "photographs"]
    assert main(["train", "gan", *options]) == 0
    capfd.readouterr()
    assert main(["evaluate", "run", "--samples", "20", "--extractor", str(of_digits)]) == 0
    printed = capfd.readouterr()
    kept = json.loads(Path("run/scores.json").read_text())
    own = kept["scores"]["own"]
    assert kept["extractor"] == str(of_digits) and own["sha256"] in printed.out and "(100%)" in printed.err
    assert list(own["sets"]) == ["samples", "real", "untrained", "pixel noise"]
    assert "Warning" not in printed.err
    if data == "digits":
        assert own["sets"]["real"]["fid"] < own["sets"]["untrained"]["fid"]
    else:
        assert own["sets"]["real"]["count"] == 5  # a half of the training images
    assert main(["evaluate", "run", "--samples", "20"]) == 0
    assert json.loads(Path("run/scores.json").read_text())["scores"]["own"] is None


def test_a_missing_torchmetrics_is_one_line(of_digits: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.setitem(sys.modules, "torchmetrics.image.fid", None)
    with pytest.raises(UserError, match=r"extractor: .* need torchmetrics: pip install torchmetrics$"):
        load_extractor(of_digits)


def test_files_that_are_no_extractor_are_named(tmp_path: Path):
    with pytest.raises(UserError, match=r"nowhere\.pt2 cannot be read \(No such file"):
        load_extractor(tmp_path / "nowhere.pt2")
    (tmp_path / "junk.pt2").write_bytes(b"no program")
    with pytest.raises(UserError, match=r"junk\.pt2 is no exported program .*torch\.export\.save"):
        load_extractor(tmp_path / "junk.pt2")


@pytest.mark.parametrize(
    "give", [lambda x: x, lambda x: (x.mean((1, 2, 3)),), lambda x: x.mean((0, 2, 3))[None]]
)
def test_what_an_extractor_gives_must_be_a_row_an_image(give: Callable[[Tensor], object], tmp_path: Path):
    extractor = load_extractor(exported(Wrong(give), tmp_path / "wrong.pt2"))
    with pytest.raises(UserError, match=r"wrong\.pt2 gives .* of 4 images, expected features \(4, D\)"):
        extractor.features([torch.zeros(4, 3, 8, 8)])


def test_images_that_an_extractor_does_not_take_are_named(tmp_path: Path):
    fixed = exported(Wrong(lambda x: x.mean((2, 3))), tmp_path / "fixed.pt2", dynamic=False)
    with pytest.raises(UserError, match=r"does not take uint8 images \(4, 3, 8, 8\) .* dynamic"):
        load_extractor(fixed).features([torch.zeros(4, 3, 8, 8)])

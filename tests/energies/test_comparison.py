from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from ebgan.energies import EBGAN, KINDS, compare, point_set, scores
from ebgan.energies.learners import Kind
from ebgan.energies.surfaces import CELLS, surface


def test_the_auc_is_the_share_of_pairs_in_order():
    random = np.random.default_rng(0)
    on, off = random.normal(0, 1, 60), random.normal(0.7, 2, 80)
    pairs = (off[:, None] > on).mean()
    result = scores(on, off)
    assert result.auc == pytest.approx(pairs)
    assert (result.mean_on, result.mean_off) == (on.mean(), off.mean())


def test_a_surface_is_zero_on_the_data_and_one_off_it():
    values = np.linspace(2, 6, CELLS**2)
    drawn = surface("any", values, on=2.0, off=4.0).scaled
    assert drawn.shape == (CELLS, CELLS) and drawn[0, 0] == 0 and drawn[-1, -1] == 2
    upside_down = surface("any", values, on=4.0, off=2.0).scaled
    assert upside_down[0, 0] == -1 and upside_down[-1, -1] == 1
    assert (surface("flat", np.full(CELLS**2, 3.0), on=3.0, off=3.0).scaled == 0).all()


def test_a_comparison_is_kept_in_a_report_and_pictures(tmp_path):
    data = point_set("moons", count=200)
    result = compare(data, ["pca", "k-means"], seed=4)
    result.write(tmp_path / "new")
    report = json.loads((tmp_path / "new" / "energies.json").read_text())
    assert (report["data"], report["points"], report["seed"]) == ("moons", 200, 4)
    assert report["distance off the data"] == 0.15
    assert list(report["learners"]) == ["pca", "k-means"]
    for each in result.results:
        kept = report["learners"][each.name]
        assert kept["auc"] == each.scores.auc and kept["strategy"] == 1
        assert f"{each.name} " in result.table() and f"{each.scores.auc:.3f}" in result.table()
    again = compare(data, ["k-means"], seed=4).results[0]
    assert again.scores == result.results[1].scores
    names = {path.name for path in (tmp_path / "new").iterdir()}
    of_learners = {"surface-k-means.png", "surface-pca.png"}
    assert names == {"energies.json", "plays.png", "surfaces.html", "surfaces.png"} | of_learners
    assert set(result.files()) == names - of_learners | {"surface-NAME.png"}


def test_what_becomes_of_ebgan_is_kept_where_it_is_among_the_learners(tmp_path, monkeypatch):
    monkeypatch.setitem(KINDS, "ebgan", Kind(3, "EBGAN", lambda seed: EBGAN(steps=20, seed=seed)))
    result = compare(point_set("moons", count=200), ["pca", "ebgan"])
    assert result.watch is not None and len(result.watch.moments) == 20
    result.write(tmp_path)
    for name in ("ebgan.mp4", "ebgan.png"):
        assert name in result.files() and (tmp_path / name).stat().st_size > 10_000


def test_a_picture_is_dark_on_the_data_and_bright_off_it(tmp_path):
    compare(point_set("gaussians", count=300), ["gmm"]).write(tmp_path)
    pixels = np.asarray(Image.open(tmp_path / "surface-gmm.png").convert("RGB")).astype(int)
    yellow = (pixels[..., 0] > 200) & (pixels[..., 1] > 200) & (pixels[..., 2] < 80)
    purple = (pixels[..., 0] < 90) & (pixels[..., 1] < 30) & (pixels[..., 2] > 60)
    assert yellow.mean() > 0.1 and purple.mean() > 0.005

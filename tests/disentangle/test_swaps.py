"""Scores of swaps and codes, by encoders and decoders of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ebgan.data import Factor, ImageSet, load
from ebgan.disentangle import Codes, Identities, grids
from ebgan.disentangle.handwriting import correlation, deviations, slant, stroke_width
from ebgan.disentangle.poses import Poses
from ebgan.disentangle.probes import probe
from ebgan.disentangle.swaps import compared, score_swaps
from ebgan.errors import UserError
from ebgan.pictures import image_grid

SIDE = 16


def scene(who: int, where: int) -> np.ndarray:
    """An image whose brightness is its identity, in a band whose place is its pose."""
    image = np.zeros((1, SIDE, SIDE), np.uint8)
    image[:, :, 4 * where : 4 * where + 4] = 60 + 60 * who
    return image


LABELS = [(each % 3, each % 4) for each in range(11, 0, -1)]  # all but (0, 0), in no order
SCENES = ImageSet(
    np.stack([scene(*each) for each in LABELS]),
    np.array([who for who, _ in LABELS]),
    "scenes",
    "test",
    ("a", "b", "c"),
    {"place": Factor(np.array([where for _, where in LABELS]), ("0", "1", "2", "3"))},
)
IDENTITIES = Identities(SCENES, ("class",))


class Perfect(nn.Module):
    """Tells band and brightness apart."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images: Tensor) -> Codes:
        bright = (images + 1).amax((1, 2, 3))[:, None] * self.scale
        band = (images[:, 0, 0] > -1).float()
        return Codes(band, torch.zeros_like(band), bright)


class Draw(nn.Module):
    """Draws the image of a band and a brightness."""

    def forward(self, style: Tensor, identity: Tensor) -> Tensor:
        return (style[:, None, None] * identity[:, :, None, None] - 1).expand(-1, 1, SIDE, SIDE)


def test_the_image_of_an_identity_in_the_pose_of_another_is_found_where_there_is_one():
    poses = Poses(SCENES, IDENTITIES)
    assert poses.factors == ("place",)
    for style in range(len(LABELS)):
        for identity in range(len(LABELS)):
            wanted = (LABELS[identity][0], LABELS[style][1])
            found = int(poses.true(style=np.array([style]), identity=np.array([identity]))[0])
            assert found == (LABELS.index(wanted) if wanted in LABELS else -1)


def test_images_along_a_factor_are_in_the_order_of_its_values():
    poses = Poses(SCENES, IDENTITIES)
    assert [LABELS[each] for each in poses.along(LABELS.index((1, 2)), "place", 10)] == [
        (1, 0),
        (1, 1),
        (1, 2),
        (1, 3),
    ]
    assert [LABELS[each] for each in poses.along(LABELS.index((1, 2)), "place", 2)] == [(1, 0), (1, 3)]
    with pytest.raises(UserError, match="factor: got 'plac', those that differ within an identity are place"):
        poses.along(0, "plac", 2)


def test_a_set_without_further_factors_has_no_poses():
    digits = load("digits", "test")
    poses = Poses(digits, Identities(digits, ("class",)))
    assert poses.factors == () and (poses.true(style=np.arange(3), identity=np.arange(3)) == -1).all()


def test_a_perfect_swap_is_the_true_image_and_its_sources_are_not():
    scores = score_swaps(
        Perfect(), Draw(), SCENES, IDENTITIES, mean=torch.zeros(1, SIDE, SIDE), count=20, seed=0
    )
    assert scores.count == 20 and scores.handwriting is None and scores.likeness is not None
    best = scores.likeness.pop("the swap")
    assert best.psnr > 80 and best.ssim == pytest.approx(1, abs=1e-4)
    assert len(scores.likeness) == 3
    assert all(each.psnr < 40 and each.ssim < 0.99 for each in scores.likeness.values())


def test_the_likeness_is_that_of_its_definition():
    true = torch.zeros(4, 1, SIDE, SIDE)
    likeness = compared(true + 0.2, true)
    assert likeness.psnr == pytest.approx(10 * np.log10(4 / 0.04), abs=1e-3)


class Copy(nn.Module):
    """Draws the image of the style (`keep` 0) or of the identity (1)."""

    def __init__(self, keep: int) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, style: Tensor, identity: Tensor) -> Tensor:
        return (style, identity)[self.keep].unflatten(1, (1, 8, 8))


class Pixels(Perfect):
    def forward(self, images: Tensor) -> Codes:
        pixels = images.flatten(1)
        return Codes(pixels, torch.zeros_like(pixels), pixels)


@pytest.mark.parametrize("keep", [0, 1])
def test_a_copy_is_read_as_its_source_and_slants_as_it(keep):
    digits = load("digits", "test")
    mean = torch.zeros(1, 8, 8)
    scores = score_swaps(
        Pixels(), Copy(keep), digits, Identities(digits, ("class",)), mean=mean, count=400, seed=1
    )
    found = scores.handwriting
    assert scores.likeness is None and found is not None and found.count == 400
    style, identity = (
        (found.slant, found.stroke_width),
        (found.slant_of_identity, found.stroke_width_of_identity),
    )
    copied, other = (style, identity) if keep == 0 else (identity, style)
    if keep:
        assert copied == pytest.approx((1, 1), abs=1e-4) and max(map(abs, other)) < 0.2
        assert found.read_right > 0.97
    else:
        assert min(copied) > 0.6 and max(map(abs, other)) < 0.2
        assert 0.05 < found.read_right < 0.2


@pytest.mark.parametrize("lean", [-1, 0, 1])
def test_slant_is_how_far_ink_moves_for_each_pixel_upwards(lean):
    image = torch.full((1, 1, 9, 9), -1.0)
    for row in range(9):
        image[0, 0, row, 4 - lean * (row - 4)] = 1
    assert slant(image).item() == pytest.approx(lean, abs=1e-5)


@pytest.mark.parametrize("width", [2, 6])
def test_the_width_of_a_stroke_is_measured_in_pixels(width):
    image = torch.full((1, 1, 60, 60), -1.0)
    image[..., 20 : 20 + width] = 1
    assert stroke_width(image).item() == pytest.approx(width, rel=0.02)


def test_deviations_are_from_the_mean_of_the_class():
    values, classes = torch.tensor([1.0, 3.0, 10.0, 20.0]), torch.tensor([2, 2, 0, 0])
    torch.testing.assert_close(deviations(values, classes), torch.tensor([-1.0, 1.0, -5.0, 5.0]))
    assert correlation(values, -2 * values) == pytest.approx(-1)
    assert correlation(values, torch.ones(4)) == 0


def test_probes_read_what_is_in_a_code_and_nothing_else():
    random = np.random.default_rng(0)
    labels = random.integers(3, size=600)
    noise = random.standard_normal((600, 4)).astype(np.float32)
    told = noise + 4 * np.eye(4, dtype=np.float32)[labels]
    good = probe(told[:300], labels[:300], told[300:], labels[300:], seed=0)
    bad = probe(noise[:300], labels[:300], noise[300:], labels[300:], seed=0)
    assert min(good.linear, good.mlp) > 0.95 and max(bad.linear, bad.mlp) < 0.45
    assert 0.25 < bad.chance < 0.45


def test_a_non_linear_probe_reads_what_a_linear_one_cannot():
    random = np.random.default_rng(0)
    points = random.standard_normal((1200, 2)).astype(np.float32)
    labels = (points[:, 0] * points[:, 1] > 0).astype(np.int64)
    found = probe(points[:800], labels[:800], points[800:], labels[800:], seed=0)
    assert found.mlp > 0.9 and found.linear < 0.65


def test_a_factor_of_one_value_is_read_always():
    codes, labels = np.zeros((10, 2), np.float32), np.zeros(10, np.int64)
    found = probe(codes, labels, codes, labels, seed=0)
    assert (found.linear, found.mlp, found.chance) == (1.0, 1.0, 1.0)


def test_pictures_have_a_row_and_a_column_for_each_image_that_is_given(monkeypatch):
    told = []

    def noted(images, *, columns, row_names=(), spans=()):
        told.append((len(images) / columns, columns, len(row_names), [span.columns for span in spans]))
        return image_grid(images, columns=columns, row_names=row_names, spans=spans)

    monkeypatch.setattr(grids, "image_grid", noted)
    images = torch.stack([torch.from_numpy(scene(*each)) for each in LABELS[:4]]).float() / 127.5 - 1
    poses, identities = images[:3], images[:2]
    true = [[images[0], None, images[1]], [None, None, images[3]]]
    nets = Perfect(), Draw()
    grids.swap_grid(*nets, poses, identities)
    grids.interpolation_grid(*nets, identities)
    grids.sample_grid(*nets, identities, rows=5, seed=0)
    grids.pose_grid(*nets, poses, identities, true, named="place")
    corners = grids.CORNERS
    assert told == [
        (4, 3, 0, [1, 2]),
        (corners, corners + 1, 0, [1, corners]),
        (6, 2, 6, []),
        (5, 4, 5, [1, 3]),
    ]

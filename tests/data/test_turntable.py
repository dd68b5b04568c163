"""Pictures of solids against what geometry says, and the pose set that is drawn with them."""

from __future__ import annotations

import numpy as np
import pytest

from ebgan.data import load
from ebgan.data.solids import Solid, camera, rendered, turned
from ebgan.data.toys import TOYS, toy

UPRIGHT = np.eye(3, dtype=np.float32)
HEAD_ON = camera(0, 0)


def picture(*solids: Solid, view: np.ndarray = HEAD_ON, light: np.ndarray | None = None) -> np.ndarray:
    lights = (view[2] if light is None else light)[None]
    return rendered(solids, view, lights, 64, ambient=0.0, background=0.0)[0] / 255


def places() -> tuple[np.ndarray, np.ndarray]:
    centres = (np.arange(64) + 0.5) / 32 - 1
    return centres[None], -centres[:, None]


def test_a_ball_is_a_disc_as_bright_as_the_angle_to_the_light_says():
    right, up = places()
    ball = picture(Solid("ellipsoid", (0, 0, 0), (0.8, 0.8, 0.8), UPRIGHT))
    inside = right**2 + up**2 < 0.7**2
    expected = np.sqrt(1 - (right**2 + up**2)[inside] / 0.64)
    np.testing.assert_allclose(ball[inside], expected, atol=0.01)
    assert not ball[right**2 + up**2 > 0.85**2].any()


@pytest.mark.parametrize("azimuth", [0, 90, 180, 300])
def test_a_ball_is_seen_where_it_is(azimuth):
    view = camera(azimuth, 30)
    centre = (0.4, -0.3, 0.2)
    rows, columns = np.nonzero(picture(Solid("ellipsoid", centre, (0.2, 0.2, 0.2), UPRIGHT), view=view))
    found = (columns.mean() + 0.5) / 32 - 1, 1 - (rows.mean() + 0.5) / 32
    np.testing.assert_allclose(found, view[:2] @ centre, atol=0.01)


def test_a_box_shows_its_faces_each_of_one_brightness():
    box = Solid("box", (0, 0, 0), (0.4, 0.4, 0.4), UPRIGHT)
    assert picture(box).mean() == pytest.approx(0.4**2, abs=0.01)
    view = camera(45, 0)
    seen = picture(box, view=view)
    shades = np.unique(seen[seen > 0].round(2), return_counts=True)
    assert shades[0][shades[1].argmax()] == pytest.approx(np.cos(np.pi / 4), abs=0.01)
    assert (seen > 0).mean() == pytest.approx(0.4 * 0.4 * np.sqrt(2), abs=0.02)


def test_a_cylinder_shows_a_disc_from_above_and_a_box_from_the_side():
    rod = Solid("cylinder", (0, 0, 0), (0.3, 0.3, 0.6), UPRIGHT)
    above, side = picture(rod, view=camera(0, 90)), picture(rod)
    assert above.mean() == pytest.approx(np.pi * 0.3**2 / 4, abs=0.01) and above[32, 32] == 1
    assert (side > 0).mean() == pytest.approx(0.3 * 0.6, abs=0.02)
    assert side[32, 32] == pytest.approx(1, abs=0.01) and side[32, 40] == pytest.approx(
        side[20, 40], abs=0.01
    )


def test_a_turned_solid_is_seen_turned():
    rod = Solid("cylinder", (0, 0, 0), (0.1, 0.1, 0.6), turned(0, 90))
    seen = picture(rod) > 0
    assert seen[32].sum() == pytest.approx(0.6 * 64, abs=2) and seen[:, 32].sum() == pytest.approx(6.4, abs=2)


def test_the_nearer_solid_hides_the_other_in_either_order():
    near = Solid("ellipsoid", (0.5, 0, 0), (0.2, 0.2, 0.2), UPRIGHT)
    far = Solid("box", (-0.5, 0, 0), (0.2, 0.6, 0.6), turned(2, 30))
    first, second = picture(near, far), picture(far, near)
    np.testing.assert_array_equal(first, second)
    assert first[32, 32] == pytest.approx(1, abs=0.01)


def test_light_from_behind_leaves_the_front_dark():
    assert not picture(Solid("box", (0, 0, 0), (0.4, 0.4, 0.4), UPRIGHT), light=-HEAD_ON[2]).any()


def test_every_toy_is_its_own_and_lies_within_the_picture():
    pictures = [
        picture(*toy(category, number), view=camera(40, 30)) for category in TOYS for number in range(10)
    ]
    assert len({each.tobytes() for each in pictures}) == 50
    for each in pictures:
        assert 0.03 < (each > 0).mean() < 0.7
        assert not (each[0].any() or each[-1].any() or each[:, 0].any() or each[:, -1].any())


# The sums, over the solids of toys 0 to 19, of the magnitudes of centres and half lengths: scores of today
# and of later compare on the same toys.
SOLIDS = {
    "animal": (200, [77.834, 11.282, 64.291, 20.354, 12.731, 37.866]),
    "human": (140, [5.48, 21.703, 54.568, 13.593, 15.987, 37.894]),
    "plane": (152, [36.305, 30.616, 20.61, 31.191, 26.688, 17.409]),
    "truck": (180, [64.86, 33.466, 42.084, 44.994, 32.409, 19.096]),
    "car": (120, [42.309, 28.234, 24.08, 36.603, 25.933, 13.2]),
}


@pytest.mark.parametrize("category", TOYS)
def test_toys_are_those_of_every_version(category):
    solids = [[*solid.centre, *solid.half] for number in range(20) for solid in toy(category, number)]
    count, sums = SOLIDS[category]
    assert len(solids) == count
    np.testing.assert_allclose(np.abs(solids).sum(0), sums, atol=0.002)


def test_a_split_has_every_pose_of_its_toys_once():
    train, test = load("turntable", "train", size=8), load("turntable", "test", size=8)
    for part in (train, test):
        assert part.images.shape == (24_300, 1, 8, 8)
        labels = np.stack([factor.labels for factor in part.factors.values()], 1)
        assert len(np.unique(labels, axis=0)) == len(part) and len(np.unique(labels[:, 1])) == 25
    instances = [set(part.factors["instance"].labels) for part in (train, test)]
    assert not instances[0] & instances[1]
    names = train.factors["instance"].values
    assert all(
        names[instance].startswith(train.classes[label])
        for instance, label in zip(train.factors["instance"].labels, train.labels, strict=True)
    )

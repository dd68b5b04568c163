"""What is seen of an EBGAN while it trains, and the film and picture of it."""

from __future__ import annotations

import av
import numpy as np
import pytest
from PIL import Image

from ebgan.energies import EBGAN, point_set
from ebgan.energies.film import SIDE, STAYS, draw_training, write_training_film
from ebgan.energies.watch import CELLS, MOMENTS, Watch

DATA = point_set("moons", count=300)


@pytest.fixture(scope="module")
def watch() -> Watch:
    learner = EBGAN(steps=2 * MOMENTS, seed=3)
    watch = Watch(learner, DATA)
    learner.fit(DATA.points, after_step=watch)
    return watch


def test_watching_changes_nothing(watch):
    alone = EBGAN(steps=2 * MOMENTS, seed=3).fit(DATA.points)
    np.testing.assert_array_equal(alone.energy(DATA.held_out), watch.learner.energy(DATA.held_out))


def test_moments_are_even_over_the_training_and_tell_the_truth_of_it(watch):
    assert [moment.step for moment in watch.moments] == [1, *range(2, 2 * MOMENTS + 1, 2)]
    last, learner = watch.moments[-1], watch.learner
    of_data, of_fake = learner.energy(watch.data), learner.energy(last.generated)
    hinge = np.clip(learner.margin - of_fake, 0, None)
    assert last.value == pytest.approx(of_data.mean() + hinge.mean())
    edges = np.linspace(-1.5, 1.5, CELLS + 1)
    inside = [
        np.histogram2d(*each.clip(-1.5, 1.5).T, bins=edges)[0] / 300 for each in (watch.data, last.generated)
    ]
    assert last.distance == pytest.approx(np.abs(inside[0] - inside[1]).sum() / 2)
    assert last.generated.shape == (300, 2) and watch.data.shape == (300, 2)
    spread = np.sqrt(((watch.data - DATA.points) ** 2).mean())
    assert spread == pytest.approx(learner.noise, rel=0.1)


def test_the_generator_comes_closer_to_the_data(watch):
    assert watch.moments[0].distance > watch.moments[-1].distance + 0.1
    assert watch.least < watch.moments[-1].distance
    assert watch.seconds > 0


def test_a_short_training_has_a_moment_a_step():
    learner = EBGAN(steps=3)
    watch = Watch(learner, DATA)
    learner.fit(DATA.points, after_step=watch)
    assert [moment.step for moment in watch.moments] == [1, 2, 3]


def test_the_film_shows_the_generators_points_on_the_surface(watch, tmp_path):
    write_training_film(watch, DATA.points, tmp_path / "film.mp4")
    with av.open(str(tmp_path / "film.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == len(watch.moments) + STAYS
    assert frames[0].shape == (round(100 * SIDE), round(100 * SIDE), 3)
    assert np.abs(frames[0] - frames[60]).mean() > 5, "it moves"
    assert np.abs(frames[-1] - frames[-STAYS]).mean() < 1, "its end stays"
    for frame in (frames[0], frames[-1]):
        red, green, blue = frame.transpose(2, 0, 1)
        orange = (red > 150) & (green < 140) & (green > 40) & (blue < 80)
        assert orange.mean() > 0.002


def test_the_picture_of_the_training_has_five_moments_above_two_curves(watch, tmp_path):
    draw_training(watch, DATA.points, tmp_path / "training.png")
    pixels = np.asarray(Image.open(tmp_path / "training.png").convert("RGB")).astype(int)
    yellow = (pixels[..., 0] > 200) & (pixels[..., 1] > 200) & (pixels[..., 2] < 80)
    height = len(pixels) // 2
    assert yellow[:height].mean() > 0.1 and yellow[height:].mean() == 0
    begins = np.flatnonzero(np.diff(yellow[:height].any(0).astype(int)) == 1)
    assert len(begins) == 5

from __future__ import annotations

import pytest
import torch

from ebgan.errors import UserError
from ebgan.gan.scores.nearest import nearest, nearest_scores
from support.errors import assert_refused


def grey(*levels: float) -> torch.Tensor:
    return torch.tensor(levels)[:, None, None, None].expand(-1, 1, 2, 3)


def test_the_nearest_is_found_over_all_chunks_and_its_distance_is_per_pixel():
    found = nearest(grey(0.0, 0.9), [grey(0.5, -0.25), grey(1.0), grey(0.75, -0.5)])
    torch.testing.assert_close(found.distances, torch.tensor([0.25, 0.1]))
    torch.testing.assert_close(found.images, grey(-0.25, 1.0))


def test_of_equally_near_ones_the_first_is_taken():
    assert (nearest(grey(0.0), [grey(0.5, -0.5), grey(-0.5)]).images == 0.5).all()


def test_copies_are_told_from_new_images():
    held_out = torch.linspace(1, 2, 201)
    scores = nearest_scores(torch.tensor([0.0, 0.1, 0.2, 1.5]), held_out)
    assert scores.copies == 0.75 and scores.ratio == pytest.approx(0.1 / 1.5) and scores.count == 4
    new = nearest_scores(held_out.flip(0), held_out)
    assert new.copies <= 0.02 and new.ratio == 1


def test_held_out_images_that_are_all_in_the_training_set_make_every_new_image_farther():
    assert nearest_scores(torch.ones(3), torch.zeros(3)).ratio == 1


@pytest.mark.parametrize(
    ("training", "fragment"), [([], "no images"), ([torch.zeros(2, 1, 3, 2)], "(1, 3, 2)")]
)
def test_training_images_must_be_there_and_of_the_same_shape(training, fragment):
    assert_refused(lambda: nearest(grey(0.0), training), UserError, [fragment])

"""Triplets: whose images they hold, that they depend on their number alone, and what cannot make any."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from ebgan.data import DataError, Factor, ImageSet, load
from ebgan.disentangle import Identities, TripletBatches
from ebgan.errors import UserError


def faces(labels: list[int], light: list[int], pixels: int = 4) -> ImageSet:
    images = np.arange(len(labels), dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 1, pixels, pixels), np.uint8
    )
    return ImageSet(
        np.ascontiguousarray(images),
        np.array(labels, np.int64),
        "faces",
        "train",
        ("Ada", "Bo", "Cy"),
        {"light": Factor(np.array(light, np.int64), ("dim", "bright"))},
    )


SEVEN = faces([0, 0, 0, 1, 1, 2, 2], [0, 1, 0, 0, 1, 1, 1])


def test_the_first_two_are_different_images_of_one_identity_and_the_third_is_any():
    batches = TripletBatches(SEVEN, Identities(SEVEN, ("class",)), 200)
    numbers = batches.numbers(7)
    who = SEVEN.labels[numbers]
    assert numbers.shape == (3, 200)
    assert (who[0] == who[1]).all() and (numbers[0] != numbers[1]).all()
    assert 0.2 < (who[2] == who[0]).mean() < 0.5
    assert set(numbers.ravel()) == set(range(7))


def test_every_identity_is_as_likely_however_many_images_it_has():
    many = faces([0] * 40 + [1, 1, 2, 2], [0] * 44)
    numbers = TripletBatches(many, Identities(many, ("class",)), 3000).numbers(1)
    for row in (0, 1, 2):
        share = np.bincount(many.labels[numbers[row]]) / 3000
        np.testing.assert_allclose(share, 1 / 3, atol=0.05)


def test_images_and_ids_belong_together_and_are_scaled():
    identities = Identities(SEVEN, ("class",))
    batch = TripletBatches(SEVEN, identities, 50).at(3)
    numbers = TripletBatches(SEVEN, identities, 50).numbers(3)
    assert batch.images.shape == (3, 50, 1, 4, 4) and batch.ids.shape == (3, 50, 1)
    np.testing.assert_allclose(batch.images[..., 0, 0, 0].numpy(), numbers / 127.5 - 1, atol=1e-6)
    assert torch.equal(batch.ids[..., 0], torch.from_numpy(SEVEN.labels[numbers]))
    assert torch.equal(batch.ids[0], batch.ids[1])


def test_several_factors_make_an_identity_together():
    eight = faces([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1])
    identities = Identities(eight, ("class", "light"))
    assert identities.counts == (3, 2)
    assert [group.tolist() for group in identities.groups] == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert identities.name(6) == "Bo, bright"


def test_a_batch_depends_on_its_number_and_seed_alone():
    digits = load("digits")
    identities = Identities(digits, ("class",))
    first, again, other = (TripletBatches(digits, identities, 8, seed=seed) for seed in (1, 1, 2))
    first.at(3)
    assert torch.equal(first.at(5).images, again.at(5).images)
    assert not torch.equal(first.at(5).images, other.at(5).images)
    assert not torch.equal(first.at(5).images, first.at(6).images)


def raises(kind: type[Exception], message: str):
    return pytest.raises(kind, match=re.escape(message))


def test_what_makes_no_triplets_is_one_line():
    with raises(
        UserError, "identity: got 'lights', but the factors of 'faces' are class, light; did you mean"
    ):
        Identities(SEVEN, ("lights",))
    with raises(DataError, "data set 'faces' (train) holds no images"):
        Identities(faces([], []), ("class",))
    alone = faces([0, 0, 1], [0, 0, 0])
    with raises(UserError, "identity: 'Bo' has one image only in 'faces', a triplet needs two"):
        TripletBatches(alone, Identities(alone, ("class",)), 4)
    with raises(UserError, "batch_size: got 0"):
        TripletBatches(SEVEN, Identities(SEVEN, ("class",)), 0)
    with raises(UserError, "step: got -1"):
        TripletBatches(SEVEN, Identities(SEVEN, ("class",)), 4).at(-1)

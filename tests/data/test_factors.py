"""What is known of the images of a set beside their class."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest

from ebgan.data import Batches, DataError, Factor, ImageSet, load

FACES = ImageSet(
    np.zeros((6, 1, 4, 4), np.uint8),
    np.array([0, 0, 0, 1, 1, 1]),
    "faces",
    "train",
    ("Ada", "Bo"),
    further={
        "pose": Factor(np.array([0, 1, 2, 0, 1, 2]), ("left", "ahead", "right")),
        "light": Factor(np.array([0, 0, 1, 1, 0, 0]), ("dim", "bright")),
    },
)


def test_a_plain_label_is_the_one_factor_of_a_set():
    digits = load("digits", "test")
    assert list(digits.factors) == ["class"]
    assert digits.factors["class"].values == digits.classes
    np.testing.assert_array_equal(digits.factors["class"].labels, digits.labels)


def test_further_factors_come_after_the_class_in_their_order():
    assert {name: len(factor.values) for name, factor in FACES.factors.items()} == {
        "class": 2,
        "pose": 3,
        "light": 2,
    }
    assert list(FACES.factors) == ["class", "pose", "light"]


def test_a_batch_finds_every_factor_of_its_images_by_their_indices():
    indices = Batches(FACES, 4, seed=3).indices(5)
    found = {name: factor.labels[indices] for name, factor in FACES.factors.items()}
    expected = {index: (FACES.labels[index], index % 3) for index in range(6)}
    assert [expected[int(index)] for index in indices] == list(
        zip(found["class"], found["pose"], strict=True)
    )


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (Factor(np.zeros(5, np.int64), ("a",)), "faces: labels of age are int64 (5,), expected int64 (6,)"),
        (Factor(np.zeros(6, np.int32), ("a",)), "faces: labels of age are int32 (6,)"),
        (Factor(np.full(6, 2), ("a", "b")), "faces: labels of age run from 2 to 2, but there are 2 values"),
        (Factor(np.full(6, -1), ("a",)), "faces: labels of age run from -1 to -1"),
    ],
)
def test_a_factor_is_checked_and_named(factor, message):
    with pytest.raises(DataError, match=re.escape(message)):
        dataclasses.replace(FACES, further={"age": factor})


def test_no_further_factor_takes_the_place_of_the_class():
    with pytest.raises(DataError, match="'class' is the factor of labels and classes"):
        dataclasses.replace(FACES, further={"class": FACES.further["pose"]})

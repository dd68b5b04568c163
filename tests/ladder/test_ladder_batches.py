"""Batches: which labels are seen, in which order, and what cannot be learnt from."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ebgan import UserError
from ebgan.data import DataError, load
from ebgan.ladder import Examples, SemiSupervisedBatches, examples


def small(features: torch.Tensor, labels: list[int], classes: int = 2) -> Examples:
    return Examples(features, torch.tensor(labels), tuple("abc"[:classes]))


def test_pixels_lie_between_black_0_and_white_1():
    found = examples(load("digits"))
    assert found.features.shape == (1442, 64) and found.features.dtype == torch.float32
    assert (found.features.min(), found.features.max()) == (0, 1)


def test_labels_are_balanced_and_every_seed_has_its_own(digits):
    batches = SemiSupervisedBatches(digits, labels=50, batch_size=20, seeds=(0, 1, 2))
    chosen = [tuple(sorted(numbers)) for numbers in batches.chosen]
    assert len(set(chosen)) == 3
    for numbers in batches.chosen:
        assert len(set(numbers)) == 50
        assert np.bincount(digits.labels.numpy()[numbers]).tolist() == [5] * 10


def test_labelled_batches_hold_chosen_examples_and_their_labels(digits):
    batches = SemiSupervisedBatches(digits, labels=50, batch_size=20, seeds=(3, 4))
    for step in (0, 7):
        batch = batches.at(step)
        for s, numbers in enumerate(batches.chosen):
            known = {
                tuple(row): label
                for row, label in zip(
                    digits.features[numbers].tolist(), digits.labels[numbers].tolist(), strict=True
                )
            }
            assert [known[tuple(row)] for row in batch.labelled[s].tolist()] == batch.labels[s].tolist()


def test_every_epoch_visits_each_example_once_in_an_order_of_its_own():
    data = small(torch.arange(12.0)[:, None], [0, 1] * 6)
    batches = SemiSupervisedBatches(data, labels=4, batch_size=4, seeds=(0,))
    epochs = [
        torch.cat([batches.at(3 * epoch + part).unlabelled for part in range(3)], 1).flatten().tolist()
        for epoch in range(2)
    ]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(12)) and epochs[0] != epochs[1]
    seam = SemiSupervisedBatches(data, labels=4, batch_size=5, seeds=(0,))
    flat = torch.cat([seam.at(step).unlabelled for step in range(5)], 1).flatten().tolist()
    assert flat[:24] == epochs[0] + epochs[1]


def test_a_batch_depends_on_its_number_and_seed_alone(digits):
    beside = SemiSupervisedBatches(digits, labels=50, batch_size=20, seeds=(3, 4))
    alone = SemiSupervisedBatches(digits, labels=50, batch_size=20, seeds=(4,))
    beside.at(500)
    for found, expected in zip(beside.at(99), alone.at(99), strict=True):
        assert torch.equal(found[1], expected[0])


def test_hidden_labels_are_those_of_the_unlabelled_examples():
    data = small(torch.arange(12.0)[:, None], [0, 1] * 6)
    batch = SemiSupervisedBatches(data, labels=4, batch_size=6, seeds=(0,)).at(0)
    assert torch.equal(batch.unlabelled[0, :, 0].long() % 2, batch.hidden_labels[0])


def test_all_examples_may_have_a_label_whatever_their_balance():
    data = small(torch.arange(5.0)[:, None], [0, 1, 1, 1, 1])
    batches = SemiSupervisedBatches(data, labels=5, batch_size=5, seeds=(0,))
    batch = batches.at(0)
    assert sorted(batch.labelled.flatten().tolist()) == [0, 1, 2, 3, 4]
    assert batch.labelled.tolist() != batch.unlabelled.tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (95, "labels: got 95, allowed are multiples of 10, the number of classes, and all 1442"),
        (0, "labels: got 0, allowed are multiples of 10"),
        (1450, "labels: got 1450, but 'digits' has 1442 examples to learn from"),
        (
            1440,
            r"labels: got 1440, 144 of each class, but class '8' has 140; allowed are up to 1400",
        ),
    ],
)
def test_labels_that_cannot_be_had_are_named(digits, labels, message):
    with pytest.raises(UserError, match=message) as error:
        SemiSupervisedBatches(digits, labels=labels, batch_size=20, seeds=(0,))
    assert "\n" not in str(error.value)


def test_a_batch_of_one_has_no_variance(digits):
    with pytest.raises(UserError, match="batch_size: got 1, allowed are finite numbers from 2"):
        SemiSupervisedBatches(digits, labels=50, batch_size=1, seeds=(0,))


def test_a_set_without_examples_is_named(digits):
    with pytest.raises(DataError, match="'digits' holds no examples"):
        SemiSupervisedBatches(digits.part(0, 0), labels=50, batch_size=20, seeds=(0,))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_in_the_data_is_found_before_training(digits, value):
    features = digits.features.clone()
    features[[17, 30], 5] = value
    with pytest.raises(
        DataError, match="digits: 2 of 1442 examples hold NaN or infinite values, the first is number 17"
    ):
        dataclasses.replace(digits, features=features)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (torch.zeros(2, 1, 3), [0, 1], r"features are torch.float32 \(2, 1, 3\), expected floating \(N, D\)"),
        (torch.zeros(2, 3, dtype=torch.uint8), [0, 1], "features are torch.uint8"),
        (torch.zeros(2, 3), [0], r"labels are torch.int64 \(1,\), expected int64 \(2,\)"),
        (torch.zeros(2, 3), [0.0, 1.0], "labels are torch.float32"),
        (torch.zeros(2, 3), [0, 2], "labels run from 0 to 2, but there are 2 classes"),
    ],
)
def test_other_data_is_refused(features, labels, message):
    with pytest.raises(DataError, match=message):
        small(features, labels)


def test_a_batch_that_no_memory_holds_is_refused_in_words():
    data = examples(load("digits"))
    for seeds in ((0,), tuple(range(4))):
        most = (1 << 30) // (4 * 2 * 64 * len(seeds))
        SemiSupervisedBatches(data, labels=50, batch_size=most, seeds=seeds)
        with pytest.raises(UserError, match=rf"batch_size: got {most + 1}, .* here up to {most} examples"):
            SemiSupervisedBatches(data, labels=50, batch_size=most + 1, seeds=seeds)


def test_batches_say_what_they_are_taken_from():
    batches = SemiSupervisedBatches(examples(load("digits")), labels=50, batch_size=8, seeds=(0, 1))
    assert str(batches) == "digits: 1,442 examples, 50 of them with a label"

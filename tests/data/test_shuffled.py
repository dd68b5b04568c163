"""The order in which batches visit a set."""

from __future__ import annotations

import numpy as np
import pytest

from ebgan import UserError
from ebgan.data.shuffled import Shuffled


@pytest.mark.parametrize("size", [1, 3, 7, 20])
def test_every_number_comes_once_an_epoch_whatever_the_size_of_a_batch(size):
    of = np.array([3, 5, 8, 13, 21, 34, 55])
    batches = Shuffled(of, size, (4, 1))
    stream = np.concatenate([batches.at(step) for step in range(21)])
    for epoch in stream[: len(stream) // 7 * 7].reshape(-1, 7):
        assert sorted(epoch) == of.tolist()


def test_a_batch_depends_on_key_and_step_alone():
    of = np.arange(50)
    forwards, other = Shuffled(of, 8, (1, 2)), Shuffled(of, 8, (1, 3))
    expected = [forwards.at(step) for step in range(20)]
    backwards = Shuffled(of, 8, (1, 2))
    for step in reversed(range(20)):
        np.testing.assert_array_equal(backwards.at(step), expected[step])
    assert any((other.at(step) != expected[step]).any() for step in range(20))


def test_an_epoch_is_a_permutation_drawn_from_the_key_and_its_number():
    of = np.array([2, 4, 6, 8])
    batches = Shuffled(of, 4, (9, 0))
    for epoch in range(3):
        expected = np.random.default_rng((9, 0, epoch)).permutation(of)
        np.testing.assert_array_equal(batches.at(epoch), expected)


def test_there_is_no_batch_before_the_first():
    with pytest.raises(UserError, match="step: got -1"):
        Shuffled(np.arange(4), 2, (0,)).at(-1)

"""Batches: a pure function of seed and step, every image once an epoch, padded or cropped as asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ebgan.data import Batches, DataError, ImageSet, load
from ebgan.errors import UserError


def numbered(count: int, height: int = 6, width: int = 7) -> ImageSet:
    """Images whose every pixel differs from its neighbours, so a crop tells where it was cut."""
    images = np.arange(count * 2 * height * width, dtype=np.uint32).astype(np.uint8)
    labels = np.arange(count)
    return ImageSet(
        images.reshape(count, 2, height, width), labels, "numbered", "train", tuple(map(str, labels))
    )


def scaled(images: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(images.astype(np.float32)) / 127.5 - 1


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    images = numbered(10)
    there = Batches(images, 4, size=5, flip=True, seed=3)
    forward = [there.at(step) for step in range(12)]
    back = Batches(images, 4, size=5, flip=True, seed=3, threads=1)
    for step in (11, 0, 7, 3, 8):
        assert torch.equal(back.at(step), forward[step])
    other = Batches(images, 4, size=5, flip=True, seed=4)
    assert not torch.equal(other.at(0), forward[0])


@given(count=st.integers(1, 23), batch_size=st.integers(1, 60))
def test_every_epoch_visits_every_image_once_across_the_seams_of_batches(count: int, batch_size: int) -> None:
    batches = Batches(numbered(count), batch_size)
    visited = np.concatenate([batches.indices(step) for step in range(3 * count // batch_size + 1)])
    for epoch in range(len(visited) // count):
        assert sorted(visited[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_epochs_have_different_orders() -> None:
    batches = Batches(numbered(50), 50)
    assert batches.indices(0).tolist() != batches.indices(1).tolist()


def test_indices_find_the_images_of_a_batch() -> None:
    images = numbered(9)
    batches = Batches(images, 5)
    for step in range(4):
        batch = batches.at(step)
        assert batch.dtype == torch.float32 and batch.is_contiguous()
        assert torch.equal(batch, scaled(images.images[batches.indices(step)]))


def test_a_smaller_image_is_padded_with_black_all_around() -> None:
    images = numbered(4)
    batches = Batches(images, 4, size=10)
    batch = batches.at(0)
    assert torch.equal(batch[:, :, 2:8, 1:8], scaled(images.images[batches.indices(0)]))
    batch[:, :, 2:8, 1:8] = -1
    assert (batch == -1).all()


def test_mnist_sized_images_get_two_black_pixels_on_every_side() -> None:
    images = np.full((1, 1, 28, 28), 255, np.uint8)
    white = ImageSet(images, np.zeros(1, np.int64), "white", "train", ("white",))
    expected = torch.nn.functional.pad(torch.ones(1, 1, 28, 28), (2, 2, 2, 2), value=-1)
    assert torch.equal(Batches(white, 1, size=32).at(0), expected)


def test_a_larger_image_is_cropped_everywhere_and_only_inside() -> None:
    images = numbered(1)
    crops = {
        scaled(images.images[0, :, y : y + 5, x : x + 5]).numpy().tobytes(): (y, x)
        for y in range(2)
        for x in range(3)
    }
    drawn = [crops[crop.numpy().tobytes()] for crop in Batches(images, 300, size=5).at(0)]
    counts = [drawn.count(place) for place in crops.values()]
    assert sum(counts) == 300 and min(counts) >= 25


def test_half_of_the_images_are_mirrored_where_asked_and_none_elsewhere() -> None:
    images = numbered(1)
    straight, mirrored = scaled(images.images[0]), scaled(images.images[0, :, :, ::-1])
    batch = Batches(images, 400, flip=True).at(0)
    is_straight = torch.tensor([torch.equal(image, straight) for image in batch])
    is_mirrored = torch.tensor([torch.equal(image, mirrored) for image in batch])
    assert (is_straight ^ is_mirrored).all() and 150 <= is_mirrored.sum() <= 250
    assert torch.equal(Batches(images, 400).at(0), straight.expand(400, -1, -1, -1))


def test_batches_cover_minus_one_to_one() -> None:
    batch = Batches(load("digits"), 64).at(0)
    assert batch.shape == (64, 1, 8, 8) and batch.min() == -1 and batch.max() == 1


@pytest.mark.parametrize(
    ("option", "value"), [("batch_size", 0), ("size", 0), ("seed", -1), ("threads", 0), ("threads", -2)]
)
def test_an_option_out_of_range_is_named(option: str, value: int) -> None:
    options: dict[str, Any] = {"batch_size": 4} | {option: value}
    with pytest.raises(UserError, match=rf"^{option}: got {value}, "):
        Batches(numbered(4), **options)


def test_a_batch_that_no_memory_holds_is_refused_in_words():
    words = (
        "batch_size: got 100000000, which makes batches of 23.8 GiB; allowed are batches of up to 1 GiB, "
        "here up to 4194304 examples"
    )
    digits = load("digits")
    with pytest.raises(UserError) as error:
        Batches(digits, 100_000_000)
    assert str(error.value) == words
    with pytest.raises(UserError, match="here up to 1048576 examples"):
        Batches(digits, 10**30, size=16)
    Batches(digits, 4_194_304)


def test_a_batch_of_many_epochs_takes_no_longer_than_many_batches_of_one():
    batches = Batches(load("digits"), 200_000)
    parts = Batches(load("digits"), 1_000)
    expected = np.concatenate([parts.indices(step) for step in range(400)])
    np.testing.assert_array_equal(batches.indices(1), expected[200_000:])


def test_batches_say_what_they_are_taken_from():
    assert str(Batches(load("digits"), 8)) == "digits (train): 1,442 images, in memory"


def test_a_negative_step_and_an_empty_set_are_refused() -> None:
    with pytest.raises(UserError, match=r"^step: got -1"):
        Batches(numbered(4), 4).at(-1)
    with pytest.raises(DataError, match=r"'numbered' \(train\) holds no images"):
        Batches(numbered(0), 4)

"""image_batch: the same bits as NumPy for every crop, from any number of threads, with the GIL released."""

from __future__ import annotations

import threading
import time
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

INT64 = np.iinfo(np.int64)


def expected_batch(
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    flip: NDArray[np.bool_],
    height: int,
    width: int,
) -> NDArray[np.float32]:
    """The definition, one crop at a time: the crop's window over an endless black plane."""
    black = np.zeros((len(indices), images.shape[1], height, width), np.uint8)
    for b, index in enumerate(indices):
        y, x = np.arange(height) + top[b], np.arange(width) + left[b]
        rows, columns = (y >= 0) & (y < images.shape[2]), (x >= 0) & (x < images.shape[3])
        shown = images[index][:, y[rows]][:, :, x[columns]]
        black[b][:, np.flatnonzero(rows)[:, None], np.flatnonzero(columns)] = shown
        if flip[b]:
            black[b] = black[b][:, :, ::-1]
    return black.astype(np.float32) / np.float32(127.5) - np.float32(1)


def arguments(batch: int = 3, **changes: Any) -> dict[str, Any]:
    """Valid arguments for a batch of 4x4 crops out of five 2x6x7 images, with some of them changed."""
    return {
        "images": np.arange(5 * 2 * 6 * 7, dtype=np.uint8).reshape(5, 2, 6, 7),
        "indices": np.arange(batch),
        "top": np.zeros(batch, np.int64),
        "left": np.zeros(batch, np.int64),
        "flip": np.zeros(batch, bool),
        "out": np.full((batch, 2, 4, 4), np.nan, np.float32),
        "threads": 1,
    } | changes


@settings(deadline=None)
@given(st.data())
def test_every_crop_and_flip_equals_numpy_exactly(host: ModuleType, data: st.DataObject) -> None:
    n, c, image_h, image_w, batch, h, w = (data.draw(st.integers(1, 9)) for _ in range(7))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    images = random.integers(0, 256, (n, c, image_h, image_w), np.uint8)
    indices = random.integers(0, n, batch)
    top, left = random.integers(-12, 12, batch), random.integers(-12, 12, batch)
    flip = random.random(batch) < 0.5
    out = np.full((batch, c, h, w), np.nan, np.float32)
    host.image_batch(images=images, indices=indices, top=top, left=left, flip=flip, out=out, threads=3)
    np.testing.assert_array_equal(out, expected_batch(images, indices, top, left, flip, h, w))


def test_every_byte_value_is_scaled_exactly_and_the_ends_are_minus_one_and_one(
    host: ModuleType,
) -> None:
    images = np.arange(256, dtype=np.uint8).reshape(1, 1, 1, 256)
    out = np.empty((1, 1, 1, 256), np.float32)
    host.image_batch(**arguments(1, images=images, out=out))
    np.testing.assert_array_equal(out[0, 0, 0], np.arange(256, dtype=np.float32) / np.float32(127.5) - 1)
    assert out.min() == -1 and out.max() == 1


@pytest.mark.parametrize("offset", [INT64.min, -4, 7, INT64.max])
def test_an_offset_beyond_the_image_shows_black_however_far(host: ModuleType, offset: int) -> None:
    for argument in ("top", "left"):
        call = arguments(1, **{argument: np.array([offset])})
        host.image_batch(**call)
        assert (call["out"] == -1).all()


@pytest.mark.parametrize("shape", [(64, 3, 96, 96), (1, 3, 700, 700)])
def test_the_result_does_not_depend_on_the_number_of_threads(
    host: ModuleType, shape: tuple[int, int, int, int]
) -> None:
    random = np.random.default_rng(0)
    batch, channels, height, width = shape
    images = random.integers(0, 256, (4, channels, height, width), np.uint8)
    fixed: dict[str, Any] = {
        "images": images,
        "indices": random.integers(0, 4, batch),
        "top": random.integers(-5, 5, batch),
        "left": random.integers(-5, 5, batch),
        "flip": random.random(batch) < 0.5,
    }
    outs = [np.full(shape, np.nan, np.float32) for _ in range(3)]
    for out, threads in zip(outs, (1, 2, 13), strict=True):
        host.image_batch(**fixed, out=out, threads=threads)
    np.testing.assert_array_equal(outs[0], outs[1])
    np.testing.assert_array_equal(outs[0], outs[2])


def test_other_python_threads_run_while_a_batch_is_prepared(host: ModuleType) -> None:
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    call = arguments(1, out=np.zeros((1, 2, 4500, 4500), np.float32))
    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        start = time.perf_counter()
        host.image_batch(**call)
        end = time.perf_counter()
    finally:
        stop.set()
        ticker.join()
    margin = 0.1 * (end - start)
    assert any(start + margin < moment < end - margin for moment in ticks)


@pytest.mark.parametrize("batch", [0, 2])
def test_an_empty_batch_or_an_output_of_no_pixels_is_left_alone(host: ModuleType, batch: int) -> None:
    host.image_batch(**arguments(batch, out=np.empty((batch, 2, 0, 4), np.float32)))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"images": np.zeros((5, 2, 6, 7), np.float32)}, TypeError, "images has dtype float32, "),
        ({"images": np.zeros((5, 6, 7), np.uint8)}, ValueError, "images .* expected 4 dimensions"),
        ({"images": np.zeros((5, 2, 6, 14), np.uint8)[..., ::2]}, ValueError, "images is not C-contiguous"),
        ({"indices": np.arange(3, dtype=np.int32)}, TypeError, "indices has dtype int32, expected int64"),
        ({"top": np.zeros(2, np.int64)}, ValueError, "top has 2 entries, but indices has 3"),
        ({"left": np.zeros((3, 1), np.int64)}, ValueError, "left .* expected 1 dimension"),
        ({"flip": np.zeros(3, np.uint8)}, TypeError, "flip has dtype uint8, expected bool"),
        ({"out": np.zeros((3, 2, 4, 4))}, TypeError, "out has dtype float64, expected float32"),
        ({"out": np.zeros((2, 2, 4, 4), np.float32)}, ValueError, r"out .*, expected \(3, 2, h, w\)"),
        ({"out": np.zeros((3, 1, 4, 4), np.float32)}, ValueError, r"out .*, expected \(3, 2, h, w\)"),
        ({"out": np.broadcast_to(np.float32(0), (3, 2, 4, 4))}, ValueError, "out is not C-contiguous"),
        ({"threads": 0}, ValueError, "threads is 0, expected at least 1"),
        ({"indices": np.array([0, 5, 1])}, IndexError, r"indices\[1\] is 5, but images holds 0 to 4"),
        ({"indices": np.array([0, 1, -1])}, IndexError, r"indices\[2\] is -1, but images holds 0 to 4"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_written(
    host: ModuleType, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    call = arguments(**changes)
    before = call["out"].copy()
    with pytest.raises(error, match=message):
        host.image_batch(**call)
    np.testing.assert_array_equal(call["out"], before)


def test_a_read_only_output_is_refused(host: ModuleType) -> None:
    call = arguments()
    call["out"].flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only"):
        host.image_batch(**call)

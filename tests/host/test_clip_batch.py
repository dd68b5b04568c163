"""clip_batch: every scale equals NumPy exactly, and the first place that moves is taken."""

from __future__ import annotations

import threading
import time
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

Places = NDArray[np.int64]


def expected_scale(patches: NDArray[np.uint8], level: int) -> NDArray[np.float32]:
    """Of patches ``(B, T, s, s, 3)`` the scale that is 2^level times smaller, from whole numbers."""
    cell = 2**level
    batch, frames, size = patches.shape[:3]
    cells = patches.reshape(batch, frames, size // cell, cell, size // cell, cell, 3)
    sums = cells.sum(axis=(3, 5), dtype=np.int32).transpose(0, 1, 4, 2, 3)
    white = 255 * cell**2
    return (2 * sums - white).astype(np.float32) * (np.float32(1) / np.float32(white))


def chosen_patches(
    windows: list[NDArray[np.uint8]], tops: Places, lefts: Places, min_squared_change: int, size: int
) -> NDArray[np.uint8]:
    """The definition, one place after another."""
    patches = []
    for window, places in zip(windows, np.stack([tops, lefts], -1), strict=True):
        for top, left in places:
            patch = window[:, top : top + size, left : left + size]
            last_two = patch[-2:].astype(np.int64)
            if len(last_two) == 2 and ((last_two[1] - last_two[0]) ** 2).sum() > min_squared_change:
                break
        patches.append(patch)
    return np.stack(patches)


def outputs(batch: int, frames: int, size: int, scales: int) -> list[NDArray[np.float32]]:
    sizes = [size >> level for level in reversed(range(scales))]
    return [np.full((batch, frames, 3, s, s), np.nan, np.float32) for s in sizes]


def arguments(**changes: Any) -> dict[str, Any]:
    """Valid arguments for two patches of 4 pixels at two scales, with some of them changed."""
    return {
        "windows": [np.zeros((3, 6, 7, 3), np.uint8), np.zeros((3, 4, 9, 3), np.uint8)],
        "tops": np.zeros((2, 5), np.int64),
        "lefts": np.zeros((2, 5), np.int64),
        "min_squared_change": 10,
        "out": outputs(2, 3, 4, 2),
        "threads": 1,
    } | changes


@given(st.data())
def test_every_place_and_scale_equals_numpy_exactly(host: ModuleType, data: st.DataObject) -> None:
    batch, frames, tries = (data.draw(st.integers(1, 5)) for _ in range(3))
    scales = data.draw(st.integers(1, 5))
    size = data.draw(st.integers(1, 3)) << (scales - 1)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    extents = size + random.integers(0, 9, (batch, 2))
    windows = [random.integers(0, 256, (frames, *extent, 3), np.uint8) for extent in extents]
    for window in windows:
        window[-1, :, extents.min() :] = window[frames - 2, :, extents.min() :]  # some places are still
    tops, lefts = (random.integers(0, extents[:, [axis]] - size + 1, (batch, tries)) for axis in (0, 1))
    threshold = int(random.integers(0, 2 * 104**2 * 3 * size**2))  # 104: rms difference of random bytes
    out = outputs(batch, frames, size, scales)
    host.clip_batch(windows=windows, tops=tops, lefts=lefts, min_squared_change=threshold, out=out, threads=3)
    patches = chosen_patches(windows, tops, lefts, threshold, size)
    for level, scale in enumerate(reversed(out)):
        np.testing.assert_array_equal(scale, expected_scale(patches, level))


@pytest.mark.parametrize("level", range(5))
def test_black_and_white_are_exactly_minus_one_and_one_at_every_scale(host: ModuleType, level: int) -> None:
    for value, expected in ((0, -1), (255, 1)):
        out = outputs(1, 1, 16, 5)
        windows = [np.full((1, 16, 16, 3), value, np.uint8)]
        host.clip_batch(
            **arguments(windows=windows, out=out, tops=np.zeros((1, 1), int), lefts=np.zeros((1, 1), int))
        )
        assert (out[level] == expected).all()


def test_every_byte_value_is_scaled_within_half_a_unit_of_float32(host: ModuleType) -> None:
    window = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    out = outputs(1, 1, 16, 1)
    host.clip_batch(
        **arguments(windows=[window], out=out, tops=np.zeros((1, 1), int), lefts=np.zeros((1, 1), int))
    )
    true = np.arange(256) / 127.5 - 1
    np.testing.assert_allclose(out[0][0, 0, 1].ravel(), true, rtol=2**-23, atol=0)


def moving_in_the_middle() -> NDArray[np.uint8]:
    """Two frames of 20x20 that differ in one pixel, by 10."""
    window = np.full((2, 20, 20, 3), 100, np.uint8)
    window[1, 9, 9, 1] = 110
    return window


@pytest.mark.parametrize(("threshold", "taken"), [(99, 2), (100, 3)])
def test_the_first_place_that_moves_by_more_than_the_threshold_is_taken_else_the_last(
    host: ModuleType, threshold: int, taken: int
) -> None:
    window = moving_in_the_middle()
    window[:, :, :, 0] = np.arange(20)[:, None]  # red tells the row
    tops, lefts = np.array([[0, 12, 6, 1]]), np.array([[0, 12, 9, 1]])
    out = outputs(1, 2, 4, 1)
    host.clip_batch(
        windows=[window], tops=tops, lefts=lefts, min_squared_change=threshold, out=out, threads=1
    )
    red = np.rint((out[0][0, 0, 0, :, 0] + 1) * 127.5).astype(int)
    assert red.tolist() == list(range(tops[0, taken], tops[0, taken] + 4))


@pytest.mark.parametrize("batch", [1, 64])
def test_the_result_does_not_depend_on_the_number_of_threads(host: ModuleType, batch: int) -> None:
    random = np.random.default_rng(0)
    windows = [random.integers(0, 256, (16, 40, 50, 3), np.uint8) for _ in range(batch)]
    fixed: dict[str, Any] = {
        "windows": windows,
        "tops": random.integers(0, 9, (batch, 4)),
        "lefts": random.integers(0, 19, (batch, 4)),
        "min_squared_change": 2 * 104**2 * 3 * 32**2,
    }
    outs = [outputs(batch, 16, 32, 4) for _ in range(3)]
    for out, threads in zip(outs, (1, 2, 13), strict=True):
        host.clip_batch(**fixed, out=out, threads=threads)
    for scale, *others in zip(*outs, strict=True):
        for other in others:
            np.testing.assert_array_equal(scale, other)


def test_other_python_threads_run_while_a_batch_is_prepared(host: ModuleType) -> None:
    ticks: list[float] = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.001):
            ticks.append(time.perf_counter())

    side = 2048
    windows = [np.zeros((8, side, side, 3), np.uint8)]
    call = arguments(windows=windows, out=outputs(1, 8, side, 1)) | {
        "tops": np.zeros((1, 25), np.int64),
        "lefts": np.zeros((1, 25), np.int64),
    }
    ticker = threading.Thread(target=tick)
    ticker.start()
    try:
        start = time.perf_counter()
        host.clip_batch(**call)
        end = time.perf_counter()
    finally:
        stop.set()
        ticker.join()
    margin = 0.1 * (end - start)
    assert any(start + margin < moment < end - margin for moment in ticks)


def test_an_empty_batch_is_left_alone(host: ModuleType) -> None:
    none = np.zeros((0, 5), np.int64)
    host.clip_batch(**arguments(windows=[], tops=none, lefts=none, out=outputs(0, 3, 4, 2)))


PLACES = np.zeros((2, 5), np.int64)
BLACK = np.zeros((3, 6, 7, 3), np.uint8)


def places(row: int, column: int, value: int) -> Places:
    changed = PLACES.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"windows": [BLACK, BLACK.astype(np.float32)]}, TypeError, r"windows\[1\] has dtype float32"),
        ({"windows": [BLACK[0], BLACK]}, ValueError, r"windows\[0\] .* expected 4 dimensions"),
        ({"windows": [BLACK, BLACK[:2]]}, ValueError, r"windows\[1\] .*, expected \(3, H, W, 3\)"),
        ({"windows": [BLACK, np.zeros((3, 6, 7, 4), np.uint8)]}, ValueError, r"expected \(3, H, W, 3\)"),
        ({"windows": [BLACK, BLACK[:, :, ::2]]}, ValueError, r"windows\[1\] is not C-contiguous"),
        (
            {"windows": [BLACK]},
            ValueError,
            r"out\[0\] has shape \(2, 3, 3, 2, 2\), expected \(1, 3, 3, 2, 2\)",
        ),
        ({"tops": PLACES.astype(np.int32)}, TypeError, "tops has dtype int32, expected int64"),
        ({"tops": PLACES[:1]}, ValueError, r"tops has shape \(1, 5\), expected \(2, tries\)"),
        ({"tops": PLACES[:, :0], "lefts": PLACES[:, :0]}, ValueError, "at least one place for each window"),
        ({"lefts": PLACES[:, :4].copy()}, ValueError, r"lefts has shape \(2, 4\), but tops has \(2, 5\)"),
        ({"tops": places(0, 3, 3)}, IndexError, r"tops\[0, 3\] is 3, .* patch of 4 .* 6 pixels from 0 to 2"),
        ({"tops": places(1, 0, -1)}, IndexError, r"tops\[1, 0\] is -1"),
        ({"lefts": places(1, 4, 6)}, IndexError, r"lefts\[1, 4\] is 6, .* from 0 to 5"),
        ({"tops": places(0, 1, -3), "lefts": places(0, 0, -1)}, IndexError, r"^lefts\[0, 0\] is -1"),
        ({"lefts": places(0, 0, 2**62)}, IndexError, r"lefts\[0, 0\] is 4611686018427387904"),
        (
            {"windows": [BLACK, BLACK[:, :3].copy()]},
            IndexError,
            "a patch of 4 lies inside 3 pixels from 0 to -1",
        ),
        ({"out": []}, ValueError, "out holds 0 scales, expected 1 to 5"),
        ({"out": outputs(2, 3, 32, 6)}, ValueError, "out holds 6 scales, expected 1 to 5"),
        ({"out": outputs(2, 3, 4, 2)[::-1]}, ValueError, r"out\[0\] has shape \(2, 3, 3, 4, 4\)"),
        ({"out": [outputs(2, 3, 1, 1)[0], outputs(2, 3, 3, 1)[0]]}, ValueError, "patches of 3 pixels"),
        ({"out": [out.astype(np.float64) for out in outputs(2, 3, 4, 2)]}, TypeError, "has dtype float64"),
        ({"threads": 0}, ValueError, "threads is 0, expected at least 1"),
    ],
)
def test_wrong_arguments_are_named_and_nothing_is_written(
    host: ModuleType, changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    call = arguments(**changes)
    with pytest.raises(error, match=message):
        host.clip_batch(**call)
    assert all(np.isnan(scale).all() for scale in call["out"])


def test_a_read_only_output_is_refused(host: ModuleType) -> None:
    call = arguments()
    call["out"][0].flags.writeable = False
    with pytest.raises(ValueError, match=r"out\[0\] is read-only"):
        host.clip_batch(**call)

"""resample: weighted sums along rows, then along columns, rounded to bytes after each."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

ONE = 1 << 22


def to_byte(total: int) -> int:
    return min(max((total + ONE // 2) // ONE, 0), 255)


def expected(
    pixels: NDArray[np.uint8],
    column_starts: NDArray[np.int64],
    column_weights: NDArray[np.int32],
    row_starts: NDArray[np.int64],
    row_weights: NDArray[np.int32],
) -> NDArray[np.uint8]:
    """The definition, one pixel after another, in numbers without a limit."""
    height = len(pixels)
    across = np.empty((height, len(column_starts), 3), np.uint8)
    for y, x, c in np.ndindex(across.shape):
        near = pixels[y, column_starts[x] :, c]
        across[y, x, c] = to_byte(sum(int(w) * int(p) for w, p in zip(column_weights[x], near, strict=False)))
    out = np.empty((3, len(row_starts), len(column_starts)), np.uint8)
    for c, y, x in np.ndindex(out.shape):
        near = across[row_starts[y] :, x, c]
        out[c, y, x] = to_byte(sum(int(w) * int(p) for w, p in zip(row_weights[y], near, strict=False)))
    return out


def weights(random: np.random.Generator, size: int, taps: int) -> NDArray[np.int32]:
    """Weights of both signs whose magnitudes add up to no more than 2."""
    drawn = random.normal(size=(size, taps))
    drawn *= random.uniform(0, 2, (size, 1)) / np.abs(drawn).sum(1, keepdims=True)
    return (drawn * ONE).astype(np.int32)


def arguments(**changes: Any) -> dict[str, Any]:
    """Valid arguments for a picture of 6x7 made 4x5, with some of them changed."""
    return {
        "pixels": np.arange(6 * 7 * 3, dtype=np.uint8).reshape(6, 7, 3),
        "column_starts": np.arange(5),
        "column_weights": np.full((5, 3), ONE // 3, np.int32),
        "row_starts": np.arange(4),
        "row_weights": np.full((4, 2), ONE // 2, np.int32),
        "out": np.zeros((3, 4, 5), np.uint8),
    } | changes


@settings(deadline=None)
@given(st.data())
def test_every_byte_is_the_weighted_sum_that_is_defined(host: ModuleType, data: st.DataObject) -> None:
    height, width = (data.draw(st.integers(1, 40)) for _ in range(2))
    rows, columns = (data.draw(st.integers(0, 40)) for _ in range(2))
    down, across = data.draw(st.integers(1, min(height, 7))), data.draw(st.integers(1, min(width, 7)))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    given = {
        "pixels": random.choice(np.array([0, 7, 255], np.uint8), (height, width, 3)),
        "column_starts": random.integers(0, width - across, columns, endpoint=True),
        "column_weights": weights(random, columns, across),
        "row_starts": random.integers(0, height - down, rows, endpoint=True),
        "row_weights": weights(random, rows, down),
    }
    out = np.empty((3, rows, columns), np.uint8)
    host.resample(**given, out=out)
    np.testing.assert_array_equal(out, expected(**given))


def test_the_largest_weights_do_not_overflow(host: ModuleType) -> None:
    white = np.full((1, 2, 3), 255, np.uint8)
    for sign, value in ((1, 255), (-1, 0)):
        out = np.full((3, 1, 1), 9, np.uint8)
        host.resample(
            pixels=white,
            column_starts=np.zeros(1, np.int64),
            column_weights=np.full((1, 2), sign * ONE, np.int32),
            row_starts=np.zeros(1, np.int64),
            row_weights=np.full((1, 1), 2 * ONE, np.int32),
            out=out,
        )
        assert (out == value).all()


def read_only(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array.setflags(write=False)
    return array


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"pixels": np.zeros((6, 7, 3))}, TypeError, "pixels has dtype float64, expected uint8"),
        ({"pixels": np.zeros((6, 7), np.uint8)}, ValueError, r"pixels has shape \(6, 7\), expected 3 dim"),
        ({"pixels": np.zeros((6, 7, 4), np.uint8)}, ValueError, r"\(6, 7, 4\), expected \(H, W, 3\)"),
        ({"pixels": np.zeros((7, 6, 3), np.uint8).swapaxes(0, 1)}, ValueError, "pixels is not C-contiguous"),
        ({"column_starts": np.zeros(5, np.int32)}, TypeError, "column_starts has dtype int32"),
        ({"column_weights": np.zeros((5, 3))}, TypeError, "column_weights has dtype float64, expected int32"),
        ({"row_weights": np.zeros(4, np.int32)}, ValueError, r"row_weights has shape \(4,\), expected 2"),
        (
            {"row_weights": np.zeros((3, 2), np.int32)},
            ValueError,
            "row_weights has 3 entries, but row_starts has 4",
        ),
        (
            {"column_starts": np.array([0, 1, 5, 2, 3])},
            IndexError,
            r"column_starts\[2\] is 5, but 3 neighbours lie inside 7 pixels from 0 to 4",
        ),
        (  # all starts are looked at before the weights
            {"column_starts": np.array([0, 1, 5, 2, 3]), "column_weights": np.full((5, 3), ONE, np.int32)},
            IndexError,
            r"column_starts\[2\] is 5",
        ),
        ({"row_starts": np.array([0, 1, 2, -1])}, IndexError, r"row_starts\[3\] is -1, but 2 neighbours"),
        (
            {"row_weights": np.full((4, 2), -ONE - 1, np.int32)},
            ValueError,
            rf"row_weights\[0\] has magnitudes that add up to {2 * ONE + 2}, allowed are {2 * ONE}",
        ),
        ({"out": np.zeros((3, 5, 4), np.uint8)}, ValueError, r"shape \(3, 5, 4\), expected \(3, 4, 5\)"),
        ({"out": np.zeros((3, 4, 5), np.int8)}, TypeError, "out has dtype int8, expected uint8"),
        ({"out": read_only(np.zeros((3, 4, 5), np.uint8))}, ValueError, "out is read-only"),
    ],
)
def test_wrong_arguments_are_named(
    host: ModuleType, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        host.resample(**arguments(**changes))

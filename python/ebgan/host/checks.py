"""What the functions of :mod:`ebgan.host.reference` ask of their arguments, in the words of ``csrc/host``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MAX_SCALES, MAX_SIZE = 5, 8192  # as in csrc/host/clip_batch.h
FRACTION_BITS = 22  # as in csrc/host/resample.cpp
MOST_WEIGHT = 2 << FRACTION_BITS


def check_array(array: NDArray[Any], name: str, dtype: DTypeLike, dimensions: int) -> None:
    """Checks the dtype, the number of dimensions and the C order of an array."""
    if array.dtype != dtype:
        raise TypeError(f"{name} has dtype {array.dtype}, expected {np.dtype(dtype)}")
    if array.ndim != dimensions:
        raise ValueError(f"{name} has shape {array.shape}, expected {dimensions} dimensions")
    if not array.flags.c_contiguous:
        raise ValueError(f"{name} is not C-contiguous; pass numpy.ascontiguousarray({name})")


def check_writeable(array: NDArray[Any], name: str) -> None:
    if not array.flags.writeable:
        raise ValueError(f"{name} is read-only")


def check_per_item(array: NDArray[Any], name: str, dtype: DTypeLike, batch: int) -> None:
    check_array(array, name, dtype, 1)
    if len(array) != batch:
        raise ValueError(f"{name} has {len(array)} entries, but indices has {batch}")


def check_threads(threads: int) -> None:
    if threads < 1:
        raise ValueError(f"threads is {threads}, expected at least 1")


def check_indices(indices: NDArray[np.int64], images: int) -> None:
    for at in np.flatnonzero((indices < 0) | (indices >= images))[:1]:
        raise IndexError(f"indices[{at}] is {indices[at]}, but images holds 0 to {images - 1}")


def check_axis(name: str, starts: NDArray[np.int64], weights: NDArray[np.int32], extent: int) -> None:
    """Checks what the positions of one axis of a picture of ``extent`` pixels are made of."""
    check_array(starts, f"{name}_starts", np.int64, 1)
    check_array(weights, f"{name}_weights", np.int32, 2)
    if len(weights) != len(starts):
        raise ValueError(f"{name}_weights has {len(weights)} entries, but {name}_starts has {len(starts)}")
    taps = weights.shape[1]
    for at in np.flatnonzero((starts < 0) | (starts > extent - taps))[:1]:
        raise IndexError(
            f"{name}_starts[{at}] is {starts[at]}, but {taps} neighbours lie inside {extent} pixels from 0 to"
            f" {extent - taps}"
        )
    totals = np.abs(weights.astype(np.int64)).sum(1)
    for at in np.flatnonzero(totals > MOST_WEIGHT)[:1]:
        raise ValueError(
            f"{name}_weights[{at}] has magnitudes that add up to {totals[at]}, allowed are {MOST_WEIGHT}"
        )


def check_scales(out: Sequence[NDArray[np.float32]], batch: int) -> tuple[int, int]:
    """The numbers of frames and of pixels of a patch, from arrays each twice the size of the one before."""
    scales = len(out)
    if not 1 <= scales <= MAX_SCALES:
        raise ValueError(f"out holds {scales} scales, expected 1 to {MAX_SCALES}")
    check_array(out[-1], "out[-1]", np.float32, 5)
    frames, size = out[-1].shape[1], out[-1].shape[4]
    if not 1 <= size <= MAX_SIZE or size % 2 ** (scales - 1):
        raise ValueError(
            f"out[-1] has patches of {size} pixels, expected up to {MAX_SIZE}, divisible by 2 for each scale"
            " but one"
        )
    for k, scale in enumerate(out):
        check_array(scale, f"out[{k}]", np.float32, 5)
        check_writeable(scale, f"out[{k}]")
        side = size >> (scales - 1 - k)
        expected = (batch, frames, 3, side, side)
        if scale.shape != expected:
            raise ValueError(f"out[{k}] has shape {scale.shape}, expected {expected}")
    return frames, size


def check_windows(windows: Sequence[NDArray[np.uint8]], frames: int) -> None:
    for b, window in enumerate(windows):
        check_array(window, f"windows[{b}]", np.uint8, 4)
        if window.shape[0] != frames or window.shape[3] != 3:
            raise ValueError(
                f"windows[{b}] has shape {window.shape}, expected ({frames}, H, W, 3): as many frames as out"
            )


def check_places(
    tops: NDArray[np.int64], lefts: NDArray[np.int64], windows: Sequence[NDArray[np.uint8]], size: int
) -> None:
    """Checks that every place of a window has a patch of ``size`` pixels inside it."""
    check_array(tops, "tops", np.int64, 2)
    check_array(lefts, "lefts", np.int64, 2)
    if len(tops) != len(windows) or tops.shape[1] < 1:
        raise ValueError(
            f"tops has shape {tops.shape}, expected ({len(windows)}, tries): at least one place for each"
            " window"
        )
    if tops.shape != lefts.shape:
        raise ValueError(f"lefts has shape {lefts.shape}, but tops has {tops.shape}")
    for b, window in enumerate(windows):
        for i, (top, left) in enumerate(zip(tops[b], lefts[b], strict=True)):
            _check_inside(f"tops[{b}, {i}]", int(top), window.shape[1], size)
            _check_inside(f"lefts[{b}, {i}]", int(left), window.shape[2], size)


def _check_inside(place: str, offset: int, extent: int, size: int) -> None:
    if not 0 <= offset <= extent - size:
        raise IndexError(
            f"{place} is {offset}, but a patch of {size} lies inside {extent} pixels from 0 to"
            f" {extent - size}"
        )

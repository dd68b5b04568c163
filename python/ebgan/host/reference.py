"""The functions of the C++ module ``ebgan._host`` in NumPy: the same results to the bit, on one thread.

A Python for which that module was not compiled uses them, and it is tested against them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

from ebgan.host.checks import (
    FRACTION_BITS,
    check_array,
    check_axis,
    check_indices,
    check_per_item,
    check_places,
    check_scales,
    check_threads,
    check_windows,
    check_writeable,
)

_DTYPES = {0x08: "uint8", 0x09: "int8", 0x0B: "int16", 0x0C: "int32", 0x0D: "float32", 0x0E: "float64"}
_MAX_DIMENSIONS = 32
_KNOWN = ", ".join(f"0x{code:02X} ({name})" for code, name in _DTYPES.items())


def parse_idx(data: Buffer) -> NDArray[Any]:
    """The array held by an IDX file, in native byte order; ValueError says what is wrong with a bad one."""
    view = memoryview(data)
    if view.ndim != 1 or view.itemsize != 1 or not view.c_contiguous:
        raise TypeError("data must be a contiguous buffer of bytes")
    content = view.cast("B")
    if len(content) < 4:
        raise ValueError(f"IDX: truncated header: {len(content)} bytes where the magic number takes 4")
    if bytes(content[:2]) != b"\0\0":
        raise ValueError(
            f"IDX: bad magic number: the file begins with {content[0]:02X} {content[1]:02X} instead of 00 00"
        )
    code, dimensions = content[2], content[3]
    if code not in _DTYPES:
        raise ValueError(f"IDX: unknown dtype code 0x{code:02X}; known are {_KNOWN}")
    if not 1 <= dimensions <= _MAX_DIMENSIONS:
        raise ValueError(f"IDX: {dimensions} dimensions announced; 1 to {_MAX_DIMENSIONS} are allowed")
    begin = 4 + 4 * dimensions
    if len(content) < begin:
        raise ValueError(
            f"IDX: truncated header: {len(content)} bytes where {dimensions} dimensions take {begin}"
        )
    shape = [int(size) for size in np.frombuffer(content[4:begin], ">u4")]
    dtype = np.dtype(_DTYPES[code])
    if math.prod(max(size, 1) for size in shape) * dtype.itemsize > np.iinfo(np.intp).max:
        raise ValueError("IDX: the announced sizes multiply to more bytes than this machine can address")
    announced, present = math.prod(shape) * dtype.itemsize, len(content) - begin
    if announced != present:
        raise ValueError(
            f"IDX: the header announces {announced} bytes of elements, the file holds {present}:"
            f" it is {'cut short' if present < announced else 'too long'}"
        )
    return np.frombuffer(content[begin:], dtype.newbyteorder(">")).astype(dtype).reshape(shape)


def image_batch(
    *,
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    flip: NDArray[np.bool_],
    out: NDArray[np.float32],
    threads: int,
) -> None:
    """Fills a batch with cropped, mirrored images scaled to [-1, 1]; outside of an image it is -1."""
    check_array(images, "images", np.uint8, 4)
    check_array(indices, "indices", np.int64, 1)
    batch = len(indices)
    for name, array, dtype in (("top", top, np.int64), ("left", left, np.int64), ("flip", flip, np.bool_)):
        check_per_item(array, name, dtype, batch)
    check_array(out, "out", np.float32, 4)
    check_writeable(out, "out")
    if out.shape[:2] != (batch, images.shape[1]):
        raise ValueError(
            f"out has shape {out.shape}, expected ({batch}, {images.shape[1]}, h, w): one image per index,"
            " channels as in images"
        )
    check_threads(threads)
    check_indices(indices, len(images))
    for b in range(batch):
        rows, y = _shown(int(top[b]), images.shape[2], out.shape[2])
        columns, x = _shown(int(left[b]), images.shape[3], out.shape[3])
        crop = out[b, :, :, ::-1] if flip[b] else out[b]
        if crop[:, rows, columns].size < crop.size:
            crop.fill(-1)
        shown = crop[:, rows, columns]
        np.divide(images[indices[b], :, y, x], np.float32(127.5), out=shown)
        np.subtract(shown, np.float32(1), out=shown)


def _shown(offset: int, image_size: int, output_size: int) -> tuple[slice, slice]:
    """The positions along an axis of the output that show the image, and those that they show."""
    begin = min(max(-offset, 0), output_size)
    end = max(begin, min(output_size, image_size - offset))
    return slice(begin, end), slice(begin + offset, end + offset) if begin < end else slice(0, 0)


def resample(
    *,
    pixels: NDArray[np.uint8],
    column_starts: NDArray[np.int64],
    column_weights: NDArray[np.int32],
    row_starts: NDArray[np.int64],
    row_weights: NDArray[np.int32],
    out: NDArray[np.uint8],
) -> None:
    """Brings a picture to another size by weighted sums along its rows, then along its columns."""
    check_array(pixels, "pixels", np.uint8, 3)
    if pixels.shape[2] != 3:
        raise ValueError(f"pixels has shape {pixels.shape}, expected (H, W, 3)")
    check_axis("column", column_starts, column_weights, pixels.shape[1])
    check_axis("row", row_starts, row_weights, pixels.shape[0])
    check_array(out, "out", np.uint8, 3)
    check_writeable(out, "out")
    expected = 3, len(row_starts), len(column_starts)
    if out.shape != expected:
        raise ValueError(f"out has shape {out.shape}, expected {expected}")
    across = _weighted(pixels.transpose(2, 0, 1), column_starts, column_weights)
    out[:] = _weighted(across.swapaxes(1, 2), row_starts, row_weights).swapaxes(1, 2)


def _weighted(
    planes: NDArray[np.uint8], starts: NDArray[np.int64], weights: NDArray[np.int32]
) -> NDArray[np.uint8]:
    """Bytes of the weighted sums of neighbours along the last axis."""
    sums = np.full((*planes.shape[:2], len(starts)), 1 << (FRACTION_BITS - 1), np.int32)
    for tap, weight in enumerate(weights.T):
        sums += weight * planes[:, :, starts + tap]
    return (sums >> FRACTION_BITS).clip(0, 255).astype(np.uint8)


def clip_batch(
    *,
    windows: Sequence[NDArray[np.uint8]],
    tops: NDArray[np.int64],
    lefts: NDArray[np.int64],
    min_squared_change: int,
    out: Sequence[NDArray[np.float32]],
    threads: int,
) -> None:
    """Fills batches, coarsest scale first, with the first moving patch of each window, in [-1, 1]."""
    frames, size = check_scales(out, len(windows))
    check_windows(windows, frames)
    check_places(tops, lefts, windows, size)
    check_threads(threads)
    sums = np.empty(out[-1].shape, np.int32)
    for b, window in enumerate(windows):
        patch = _moving_patch(window, tops[b], lefts[b], min_squared_change, size)
        sums[b] = patch.transpose(0, 3, 1, 2)
    white = 255
    for scale in reversed(out):
        # The integer 2 sum - white is exact, and one product follows: the same bits as those of csrc/host.
        np.multiply((2 * sums - white).astype(np.float32), np.float32(1) / np.float32(white), out=scale)
        if scale is not out[0]:
            rows = sums[..., 0::2, :] + sums[..., 1::2, :]
            sums, white = rows[..., 0::2] + rows[..., 1::2], 4 * white


def _moving_patch(
    window: NDArray[np.uint8],
    tops: NDArray[np.int64],
    lefts: NDArray[np.int64],
    min_squared_change: int,
    size: int,
) -> NDArray[np.uint8]:
    """The patch at the first place where the last two frames differ by enough, else at the last place."""
    for top, left in zip(tops, lefts, strict=True):
        patch = window[:, top : top + size, left : left + size]
        if len(patch) > 1:
            change = patch[-1].astype(np.int64) - patch[-2]
            if np.square(change).sum() > min_squared_change:
                break
    return patch

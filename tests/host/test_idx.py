"""IDX files: every element type read right, every malformed file refused with the reason."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

CODES = {"uint8": 0x08, "int8": 0x09, "int16": 0x0B, "int32": 0x0C, "float32": 0x0D, "float64": 0x0E}


def encode(array: NDArray[Any]) -> bytes:
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.name], array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def header(*sizes: int, code: int = 0x08) -> bytes:
    return struct.pack(f">BBBB{len(sizes)}I", 0, 0, code, len(sizes), *sizes)


@given(st.sampled_from(sorted(CODES)).flatmap(lambda name: hnp.arrays(name, hnp.array_shapes(max_dims=4))))
def test_every_element_type_comes_back_as_it_was_written(host: ModuleType, array: NDArray[Any]) -> None:
    parsed = host.parse_idx(encode(array))
    assert parsed.dtype == array.dtype and parsed.dtype.isnative
    np.testing.assert_array_equal(parsed, array)


@pytest.mark.parametrize("buffer", [bytes, bytearray, memoryview])
def test_any_byte_buffer_is_read(host: ModuleType, buffer: Callable[[bytes], Any]) -> None:
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    np.testing.assert_array_equal(host.parse_idx(buffer(encode(array))), array)


def test_a_file_may_hold_no_elements(host: ModuleType) -> None:
    assert host.parse_idx(header(0, 28, 28)).shape == (0, 28, 28)


GOOD = encode(np.arange(12, dtype=np.uint8).reshape(3, 4))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "truncated header: 0 bytes where the magic number takes 4"),
        (GOOD[:3], "truncated header: 3 bytes"),
        (b"\x1f\x8b" + GOOD[2:], "begins with 1F 8B instead of 00 00"),
        (GOOD[:2] + b"\x0a" + GOOD[3:], "unknown dtype code 0x0A"),
        (GOOD[:3] + b"\x00" + GOOD[4:], "0 dimensions announced; 1 to 32 are allowed"),
        (GOOD[:3] + b"\x21" + GOOD[4:], "33 dimensions announced"),
        (GOOD[:11], "truncated header: 11 bytes where 2 dimensions take 12"),
        (GOOD[:-1], "announces 12 bytes of elements, the file holds 11: it is cut short"),
        (GOOD + b"\x00", "announces 12 bytes of elements, the file holds 13: it is too long"),
        (header(2**32 - 1, 2**32 - 1), "more bytes than this machine can address"),
        (header(0, 2**32 - 1, 2**32 - 1), "more bytes than this machine can address"),
        (header(2**31, 2**30, code=0x0E), "more bytes than this machine can address"),
    ],
)
def test_a_malformed_file_is_refused_with_the_reason(host: ModuleType, content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^IDX: .*" + reason):
        host.parse_idx(content)


@given(st.binary(max_size=64))
def test_arbitrary_bytes_never_do_worse_than_a_value_error(host: ModuleType, content: bytes) -> None:
    try:
        host.parse_idx(content)
    except ValueError as error:
        assert str(error).startswith("IDX: ")


def test_a_buffer_that_is_no_run_of_bytes_is_a_type_error(host: ModuleType) -> None:
    wrong: list[Any] = [memoryview(GOOD)[::2], np.zeros(4, np.int32), np.zeros((2, 4), np.uint8)]
    for data in wrong:
        with pytest.raises(TypeError, match="contiguous buffer of bytes"):
            host.parse_idx(data)

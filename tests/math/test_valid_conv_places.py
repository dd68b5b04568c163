"""Where the CUDA kernels of valid convolutions look for what, on the CPU."""

from __future__ import annotations

import ctypes
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product

import pytest

CSRC = pathlib.Path(__file__).resolve().parents[2] / "csrc"
SOURCE = """
#include "cuda/valid_conv_places.h"
#include "math/valid_conv.h"
using namespace ebgan::math;
using namespace ebgan::cuda::valid_conv;
extern "C" {
void pixel(int64_t index, int height, int width, int64_t* out) {
  const Pixel p = pixel_of(index, height, width);
  out[0] = p.sample, out[1] = p.row, out[2] = p.column;
}
void tap(int index, int channels, int height, int width, int fastest, int64_t* out) {
  const Tap t = tap_of(index, channels, height, width, fastest);
  out[0] = t.channel, out[1] = t.row, out[2] = t.column;
}
void next_tap(int index, int step, int channels, int height, int width, int64_t* out) {
  Tap t = tap_of(index, channels, height, width, true);
  advance(t, step, channels, width);
  out[0] = t.channel, out[1] = t.row, out[2] = t.column;
}
int term(int channel, int row, int column, int channels, int height, int width, int fastest) {
  return term_of({channel, row, column}, channels, height, width, fastest);
}
int row_vector(int row, int vector) { return row_tile_vector(row, vector); }
int pixel_vector(int bytes, int pixel, int vector, int vectors) {
  return bytes == 2 ? pixel_tile_vector<2>(pixel, vector, vectors)
                    : pixel_tile_vector<4>(pixel, vector, vectors);
}
void place(int kind, int lane, int i, int64_t* out) {
  const Place p = kind == 0 ? rows_first(lane) : kind == 1 ? vectors_first(lane)
                : kind == 2 ? sum_place(lane, i) : left_place(lane, i);
  out[0] = p.row, out[1] = p.column;
}
int64_t part(int64_t pixels, int64_t parts, int64_t unit) { return part_size(pixels, parts, unit); }
}
"""
ROWS_FIRST, VECTORS_FIRST, SUM, LEFT = range(4)
LANES = range(32)
KERNELS = ((1, 1, 1), (3, 3, 3), (16, 2, 5), (15, 7, 1))


class Places:
    """The functions of the header; triples come as lists."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.library = library

    def triple(self, name: str, *arguments: int) -> tuple[int, ...]:
        out = (ctypes.c_int64 * 3)()
        first, *others = arguments
        index = ctypes.c_int64(first) if name == "pixel" else first
        getattr(self.library, name)(index, *others, out)
        return tuple(out)

    def place(self, kind: int, lane: int, i: int = 0) -> tuple[int, int]:
        row, column, _ = self.triple("place", kind, lane, i)
        return row, column

    def number(self, name: str, *arguments: int) -> int:
        return int(getattr(self.library, name)(*arguments))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    compiler = shutil.which("c++")
    if compiler is None:
        pytest.skip("no C++ compiler (c++) on PATH")
    folder = tmp_path_factory.mktemp("places")
    (folder / "places.cpp").write_text(SOURCE)
    command = [compiler, "-std=c++20", "-shared", "-fPIC", f"-I{CSRC}", "places.cpp", "-o", "places.so"]
    subprocess.run(command, cwd=folder, check=True)
    yield Places(ctypes.CDLL(str(folder / "places.so")))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 7), (26, 1), (3, 26)])
def test_pixels_are_counted_by_row_plane_and_sample(places: Places, height: int, width: int) -> None:
    for first in (0, 2**31 - 40, 2**33 + 11):
        for index in range(first, first + 80):
            line, column = divmod(index, width)
            assert places.triple("pixel", index, height, width) == (*divmod(line, height), column)


@pytest.mark.parametrize(("channels", "height", "width"), KERNELS)
def test_terms_are_in_the_order_of_memory(places: Places, channels: int, height: int, width: int) -> None:
    planes = list(product(range(channels), range(height), range(width)))
    channels_last = [(c, r, s) for r, s, c in product(range(height), range(width), range(channels))]
    for fastest, taps in ((0, planes), (1, channels_last)):
        for index, tap in enumerate(taps):
            assert places.triple("tap", index, channels, height, width, fastest) == tap
            assert places.number("term", *tap, channels, height, width, fastest) == index
    for step in (1, 4, 16, 32):
        for index in range(len(planes) - step):
            assert (
                places.triple("next_tap", index, step, channels, height, width)
                == (channels_last[index + step])
            )


def test_rows_of_a_tile_read_at_one_vector_touch_every_bank_once(places: Places) -> None:
    tile = [places.number("row_vector", row, vector) for row in range(128) for vector in range(4)]
    assert sorted(tile) == list(range(512))
    for first, vector in product(range(0, 128, 8), range(4)):
        read = {places.number("row_vector", first + k, vector) % 8 for k in range(8)}
        assert len(read) == 8


@pytest.mark.parametrize("size", [2, 4])
@pytest.mark.parametrize("vectors", [8, 16, 32])
def test_pixels_of_a_tile_read_across_touch_every_bank_once(places: Places, size: int, vectors: int) -> None:
    pixels = 64 // size
    at = {
        (pixel, vector): places.number("pixel_vector", size, pixel, vector, vectors)
        for pixel, vector in product(range(pixels), range(vectors))
    }
    assert sorted(at.values()) == list(range(pixels * vectors))
    # 8 pixels at one vector of 8 values of 2 bytes; 4 pixels at two vectors of 4 values of 4 bytes
    read, beside = (8, 1) if size == 2 else (4, 2)
    for first, vector in product(range(0, pixels, read), range(0, vectors, beside)):
        banks = {at[first + k, vector + v] % 8 for k, v in product(range(read), range(beside))}
        assert len(banks) == 8


def test_matrices_of_a_fragment_are_named_in_its_order(places: Places) -> None:
    """By the PTX manual: matrix lane / 8, row lane % 8 of it; register q of a fragment is matrix q."""
    for lane in LANES:
        matrix, row = divmod(lane, 8)
        assert places.place(ROWS_FIRST, lane) == (row + 8 * (matrix % 2), matrix // 2)
        assert places.place(VECTORS_FIRST, lane) == (row + 8 * (matrix // 2), matrix % 2)


def test_registers_cover_a_fragment_once(places: Places) -> None:
    sums = {(lane, i): places.place(SUM, lane, i) for lane in LANES for i in range(4)}
    assert sorted(sums.values()) == list(product(range(16), range(8)))
    assert sums[5, 1] == (1, 3) and sums[5, 2] == (9, 2)
    left = {(lane, i): places.place(LEFT, lane, i) for lane in LANES for i in range(4)}
    assert sorted(left.values()) == list(product(range(16), range(8)))
    assert left[5, 1] == (9, 1) and left[5, 2] == (1, 5)


@pytest.mark.parametrize("pixels", [1, 31, 32, 33, 1000])
@pytest.mark.parametrize("parts", [1, 2, 7, 128])
def test_parts_cover_all_in_whole_units(places: Places, pixels: int, parts: int) -> None:
    places.library.part.restype = ctypes.c_int64
    size = places.number("part", *(ctypes.c_int64(x) for x in (pixels, parts, 32)))  # type: ignore[arg-type]
    assert size % 32 == 0 and size > 0
    assert size * parts >= pixels
    assert (size - 32) * parts < pixels

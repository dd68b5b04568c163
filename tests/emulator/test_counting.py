"""The emulated device counts what kernels of known traffic move, those of `known/cuda/known.cu`."""

from __future__ import annotations

import ctypes
import json
import pathlib
import shutil
import subprocess
import sys
from typing import Any, Literal, NamedTuple

import pytest
import torch
from torch import Tensor

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
BLOCKS, THREADS, WARPS = 16, 256, 8  # of a block
VALUES = BLOCKS * THREADS
REQUESTS = BLOCKS * WARPS
SIDE, TILES, ROWS = 64, 4, 128  # of a matrix, in tiles of 32 x 32: so many requests of a row


class Requests(NamedTuple):
    requests: int
    parts: int
    fewest: int


class Counts:
    """Of one launch; requests of all lines of a space are put together."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def of(self, space: Literal["global", "shared"], write: bool) -> Requests:
        lines = [line for line in self.content["lines"] if (line["space"], line["write"]) == (space, write)]
        return Requests(*(sum(line[name] for line in lines) for name in Requests._fields))


class Known:
    """The compiled kernels; a tensor is passed by its address."""

    def __init__(self, library: pathlib.Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.emulator_counts.restype = ctypes.c_char_p

    def __call__(self, kernel: str, source: Tensor, result: Tensor, *numbers: int) -> Counts:
        self._library.emulator_forget_counts()
        pointers = (ctypes.c_void_p(source.data_ptr()), ctypes.c_void_p(result.data_ptr()))
        assert self._library[f"known_{kernel}"](*pointers, *numbers) == 0
        (launch,) = json.loads(self._library.emulator_counts())
        return Counts(launch)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Taken from build/emulator where that is newer than the sources, else built, which takes ten seconds."""
    built = ROOT / "build" / "emulator" / "known.so"
    sources = [path for path in HERE.rglob("*") if path.suffix in {".cpp", ".h", ".cu"}]
    if not built.is_file() or built.stat().st_mtime < max(path.stat().st_mtime for path in sources):
        built = _build(tmp_path_factory.mktemp("emulator"))
    return Known(built)


def _build(folder: pathlib.Path) -> pathlib.Path:
    tools = f"{pathlib.Path(sys.executable).parent}:/usr/local/bin:/usr/bin"
    cmake, ninja = (shutil.which(name, path=tools) for name in ("cmake", "ninja"))
    assert cmake is not None and ninja is not None, "the tests need cmake and ninja: make test installs them"
    configure = [
        cmake, "-S", str(ROOT), "-B", str(folder), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}",
        "-DEBGAN_EMULATOR=ON", f"-DPython_EXECUTABLE={sys.executable}",
        f"-DTORCH_ROOT={pathlib.Path(torch.__file__).parent}",
    ]  # fmt: skip
    for command in (configure, [cmake, "--build", str(folder), "--target", "emulator_known"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "known.so"


def _values(count: int = VALUES) -> Tensor:
    return torch.arange(count, dtype=torch.float32)


def test_a_copy_moves_each_sector_once(known: Known) -> None:
    source, result = _values(), torch.zeros(VALUES)
    counts = known("copy", source, result, BLOCKS, 0, 1)
    assert torch.equal(result, source)
    for write in (False, True):
        assert counts.of("global", write) == (REQUESTS, VALUES // 8, VALUES // 8)
        assert counts.of("shared", write) == (0, 0, 0)
    assert counts.content["sectors_of_launch"] == [VALUES // 8, VALUES // 8]
    assert counts.content["sectors_of_blocks"] == [VALUES // 8, VALUES // 8]
    assert counts.content["barriers"] == 0
    assert counts.content["atomics"] == 0
    assert (counts.content["blocks"], counts.content["threads"]) == (BLOCKS, THREADS)


def test_a_copy_from_between_sectors_touches_one_more_a_request(known: Known) -> None:
    source = _values(VALUES + 8)
    counts = known("copy", source, torch.zeros(VALUES), BLOCKS, 1, 1)
    assert counts.of("global", write=False) == (REQUESTS, 5 * REQUESTS, 4 * REQUESTS)
    assert counts.of("global", write=True) == (REQUESTS, 4 * REQUESTS, 4 * REQUESTS)
    # Memory delivers one sector more; every block one more for itself.
    assert counts.content["sectors_of_launch"][0] == VALUES // 8 + 1
    assert counts.content["sectors_of_blocks"][0] == VALUES // 8 + BLOCKS


@pytest.mark.parametrize(("stride", "sectors"), [(2, 8), (4, 16), (8, 32), (16, 32)])
def test_a_strided_read_touches_more_sectors_than_its_bytes_need(
    known: Known, stride: int, sectors: int
) -> None:
    source, result = _values(stride * VALUES), torch.zeros(VALUES)
    counts = known("copy", source, result, BLOCKS, 0, stride)
    assert torch.equal(result, source[::stride])
    assert counts.of("global", write=False) == (REQUESTS, sectors * REQUESTS, 4 * REQUESTS)
    assert counts.content["sectors_of_launch"][0] == sectors * REQUESTS


def test_lanes_that_read_one_value_share_a_sector(known: Known) -> None:
    counts = known("copy", _values(1), torch.zeros(VALUES), BLOCKS, 0, 0)
    assert counts.of("global", write=False) == (REQUESTS, REQUESTS, REQUESTS)
    assert counts.content["sectors_of_launch"][0] == 1
    assert counts.content["sectors_of_blocks"][0] == BLOCKS


def test_each_block_fetches_its_neighbours_sectors_for_itself(known: Known) -> None:
    counts = known("add_neighbours", _values(), torch.zeros(VALUES), BLOCKS)
    assert counts.content["sectors_of_launch"] == [VALUES // 8, VALUES // 8]
    assert counts.content["sectors_of_blocks"] == [VALUES // 8 + 2 * (BLOCKS - 1), VALUES // 8]


def test_functions_are_counted_for_every_value(known: Known) -> None:
    source, result = torch.linspace(-1, 1, VALUES), torch.zeros(VALUES)
    counts = known("exponentials", source, result, BLOCKS)
    torch.testing.assert_close(result, source.exp())
    assert counts.content["functions"] == {
        name: VALUES if name == "exp" else 0 for name in ("exp", "log", "log1p", "pow", "sqrt", "tanh")
    }


def test_vectors_take_four_passes_of_shared_memory(known: Known) -> None:
    source, result = _values(4 * VALUES), torch.zeros(4 * VALUES)
    counts = known("copy_vectors", source, result, BLOCKS)
    wanted = source.view(BLOCKS, THREADS, 4).flip(1)
    assert torch.equal(result.view_as(wanted), wanted)
    for write in (False, True):
        assert counts.of("global", write) == (REQUESTS, 16 * REQUESTS, 16 * REQUESTS)
        assert counts.of("shared", write) == (REQUESTS, 4 * REQUESTS, 4 * REQUESTS)
    assert counts.content["static_shared"] == 16 * THREADS
    assert counts.content["barriers"] == BLOCKS


def test_a_transpose_without_shared_memory_writes_a_sector_a_lane(known: Known) -> None:
    source, result = _values(SIDE * SIDE).view(SIDE, SIDE), torch.zeros(SIDE, SIDE)
    counts = known("transpose_directly", source, result, SIDE)
    assert torch.equal(result, source.mT)
    assert counts.of("global", write=False) == (ROWS, 4 * ROWS, 4 * ROWS)
    assert counts.of("global", write=True) == (ROWS, 32 * ROWS, 4 * ROWS)
    # The blocks' writes meet in the same sectors, so memory takes each once.
    assert counts.content["sectors_of_launch"] == [SIDE * SIDE // 8, SIDE * SIDE // 8]


@pytest.mark.parametrize(("padding", "passes"), [("unpadded", 32), ("padded", 1)])
def test_a_transpose_without_padding_reads_one_bank_with_all_lanes(
    known: Known, padding: str, passes: int
) -> None:
    source, result = _values(SIDE * SIDE).view(SIDE, SIDE), torch.zeros(SIDE, SIDE)
    counts = known(f"transpose_{padding}", source, result, SIDE)
    assert torch.equal(result, source.mT)
    for write in (False, True):
        assert counts.of("global", write) == (ROWS, 4 * ROWS, 4 * ROWS)
    assert counts.of("shared", write=True) == (ROWS, ROWS, ROWS)
    assert counts.of("shared", write=False) == (ROWS, passes * ROWS, ROWS)
    assert counts.content["static_shared"] == 4 * 32 * (33 if padding == "padded" else 32)
    assert counts.content["barriers"] == TILES


def test_a_sum_has_a_barrier_for_every_halving_and_one_atomic_a_block(known: Known) -> None:
    source, result = _values(), torch.zeros(1)
    counts = known("sum", source, result, BLOCKS)
    assert result.item() == source.sum().item()
    halvings = 4 + 2 + 6  # requests of the warps that still have values, in eight halvings
    assert counts.of("shared", write=True) == (BLOCKS * (WARPS + halvings),) * 3
    assert counts.of("shared", write=False) == (BLOCKS * (2 * halvings + 1),) * 3
    assert counts.content["barriers"] == 8 * BLOCKS
    assert counts.content["atomics"] == BLOCKS
    # The atomic additions read and write the result, a sector of its own.
    assert counts.content["sectors_of_launch"] == [VALUES // 8 + 1, 1]
    assert counts.content["sectors_of_blocks"] == [VALUES // 8 + BLOCKS, BLOCKS]

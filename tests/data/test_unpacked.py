"""Gzip in memory: what unpacks to more than the limit is refused by the readers that use it."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from ebgan.data import DataError, unpacked
from ebgan.data.idx import read_idx
from ebgan.data.norb import load_norb

LIMIT = 1 << 18


@pytest.fixture
def bomb(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(unpacked, "LIMIT", LIMIT)
    return gzip.compress(bytes(50 * LIMIT))


def test_up_to_the_limit_bytes_come_back_several_members_included(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked, "LIMIT", LIMIT)
    halves = bytes(LIMIT // 2), bytes([1]) * (LIMIT // 2)
    assert unpacked.unpacked(gzip.compress(halves[0]) + gzip.compress(halves[1])) == b"".join(halves)
    with pytest.raises(ValueError, match="unpacks to more than the 262144 bytes"):
        unpacked.unpacked(gzip.compress(bytes(LIMIT + 1)))


def test_a_bomb_is_refused_by_name_and_never_fills_the_memory(bomb: bytes, tmp_path: Path) -> None:
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(DataError, match=f"{path.name} cannot be unpacked .unpacks to more than"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * LIMIT


def test_a_bomb_among_the_files_of_norb_is_refused_by_name(bomb: bytes, tmp_path: Path) -> None:
    path = tmp_path / "norb" / "smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat.gz"
    path.parent.mkdir()
    path.write_bytes(bomb)
    with pytest.raises(DataError, match=f"{path.name} cannot be read .unpacks to more than"):
        load_norb("train", tmp_path, None)

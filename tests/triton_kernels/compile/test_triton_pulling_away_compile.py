"""Pulling-away kernels compiled for GPUs that are not here: 128-bit accesses to aligned rows, no spills."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("the interpreter is on (TRITON_INTERPRET=1)", allow_module_level=True)
pytest.importorskip("triton")
from compilation import Launch, launches_of, operator

from ebgan_kernels.triton import pulling_away

WIDE_LOADS, WIDE_STORES = {"ld.global.v4.b32", "ld.global.v2.b64"}, {"st.global.v4.b32", "st.global.v2.b64"}


def launches(rows: int, dtype: torch.dtype = torch.float32, need_weights: bool = True) -> list[Launch]:
    gram = torch.empty(rows, rows, dtype=dtype)
    found = launches_of(pulling_away, lambda: operator("pulling_away_weights")(gram, need_weights))
    assert [launch.kernel.__name__ for launch in found] == ["row_weights", "loss_and_diagonal"]
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [256, 2048])
@pytest.mark.parametrize("capability", [80, 90, 100])
def test_rows_move_in_128_bit_accesses_and_nothing_spills(tmp_path: Path, capability, rows, dtype):
    of_rows, of_loss = (launch.compile(capability) for launch in launches(rows, dtype))
    assert of_rows.global_accesses() & WIDE_LOADS
    assert of_rows.global_accesses() & WIDE_STORES
    assert of_rows.spilled_bytes(tmp_path) == of_loss.spilled_bytes(tmp_path) == 0


@pytest.mark.parametrize("rows", [2, 63, 1025])
def test_rows_that_are_not_aligned_compile_without_spills(tmp_path: Path, rows):
    for launch in launches(rows):
        assert launch.compile(90).spilled_bytes(tmp_path) == 0


def test_without_weights_nothing_but_sums_is_written():
    of_rows, of_loss = (launch.compile(90) for launch in launches(256, need_weights=False))
    assert not of_rows.global_accesses() & WIDE_STORES
    assert of_loss.ptx.count("st.global") == 1

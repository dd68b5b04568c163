"""The gradient-difference kernels compiled for GPUs that are not here: 128-bit accesses, and no spills.

Nothing can be compiled while the interpreter is on, so these tests skip under TRITON_INTERPRET=1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("the interpreter is on (TRITON_INTERPRET=1)", allow_module_level=True)
pytest.importorskip("triton")
from compilation import launches_of, operator

from ebgan_kernels.triton import gdl_kernels

BRAIN, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64
MEAN = 0
PLANES, VOLUMES = (4, 3, 64, 64), (2, 32, 32, 32)
WIDE_LOADS, WIDE_STORES = {"ld.global.v4.b32", "ld.global.v2.b64"}, {"st.global.v4.b32", "st.global.v2.b64"}


def loss(
    shape: tuple[int, ...],
    dtypes: tuple[torch.dtype, torch.dtype],
    alpha: float = 1.0,
    spatial_dims: int = 2,
    needed: int = 0b11,
) -> Callable[[], Any]:
    pair = [torch.empty(shape, dtype=dtype) for dtype in dtypes]
    return lambda: operator("prediction_loss")(*pair, spatial_dims, 1, alpha, 1.0, 1.0, MEAN, needed)


def backward(dtypes: tuple[torch.dtype, torch.dtype]) -> Callable[[], Any]:
    pair = [torch.empty(PLANES, dtype=dtype) for dtype in dtypes]
    one = torch.ones((), dtype=DOUBLE if DOUBLE in dtypes else SINGLE)
    return lambda: operator("prediction_loss_backward_")(
        pair, one, *pair, 2, 1, 1.0, 1.0, 1.0, MEAN, 0b11, True
    )


@pytest.mark.parametrize(
    ("capability", "dtypes"),
    [
        (80, (SINGLE, SINGLE)),
        (90, (SINGLE, SINGLE)),
        (100, (SINGLE, SINGLE)),
        (90, (BRAIN, BRAIN)),
        (90, (BRAIN, SINGLE)),
        (90, (DOUBLE, DOUBLE)),
    ],
)
@pytest.mark.parametrize("spatial_dims", [2, 3])
def test_images_move_in_128_bit_accesses_and_nothing_spills(tmp_path: Path, spatial_dims, capability, dtypes):
    call = loss(PLANES if spatial_dims == 2 else VOLUMES, dtypes, spatial_dims=spatial_dims)
    of_tiles, of_sums = (launch.compile(capability) for launch in launches_of(gdl_kernels, call))
    assert of_tiles.spilled_bytes(tmp_path) == of_sums.spilled_bytes(tmp_path) == 0
    assert of_tiles.global_accesses() & WIDE_LOADS
    assert of_tiles.global_accesses() & WIDE_STORES


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5])
@pytest.mark.parametrize("shape", [(3, 33, 7), (1, 2, 2), (2, 40, 1030)])
def test_rows_that_are_not_aligned_compile_without_spills(tmp_path: Path, shape, alpha):
    for launch in launches_of(gdl_kernels, loss(shape, (SINGLE, SINGLE), alpha)):
        assert launch.compile(90).spilled_bytes(tmp_path) == 0


def test_the_backward_reads_the_incoming_gradient_and_does_not_spill(tmp_path: Path):
    (launch,) = launches_of(gdl_kernels, backward((SINGLE, SINGLE)))
    compiled = launch.compile(90)
    assert compiled.spilled_bytes(tmp_path) == 0
    assert compiled.global_accesses() >= {"ld.global.b32", "ld.global.v4.b32", "st.global.v4.b32"}


def test_without_a_gradient_nothing_but_sums_is_written():
    without, _ = launches_of(gdl_kernels, loss(PLANES, (SINGLE, SINGLE), needed=0))
    ptx = without.compile(90).ptx
    assert ptx.count("st.global") == 1
    complete, _ = launches_of(gdl_kernels, loss(PLANES, (SINGLE, SINGLE)))
    assert ptx.count("ld.global") < complete.compile(90).ptx.count("ld.global"), "pairs are computed twice"


@pytest.mark.parametrize("dtype", [SINGLE, BRAIN, DOUBLE])
def test_a_pyramid_is_made_of_one_read_and_does_not_spill(tmp_path: Path, dtype):
    x = torch.empty(4, 3, 64, 64, dtype=dtype)
    (launch,) = launches_of(gdl_kernels, lambda: operator("average_pyramid")(x, 4))
    compiled = launch.compile(90)
    assert compiled.spilled_bytes(tmp_path) == 0
    assert compiled.global_accesses() & (WIDE_LOADS | {"ld.global.v2.b32"})
    halves = [x[..., : 64 >> k, : 64 >> k] for k in (3, 2, 1)]
    for spread in launches_of(gdl_kernels, lambda: operator("average_pyramid_backward")(halves)):
        assert spread.compile(90).spilled_bytes(tmp_path) == 0

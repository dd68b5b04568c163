"""The energy kernels compiled for GPUs that are not here: 128-bit accesses to aligned memory, and no spills.

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

from ebgan_kernels.reference.dtypes import accumulation_dtype
from ebgan_kernels.triton import energy, energy_kernels, gradient

Dtypes = tuple[torch.dtype, torch.dtype]
BRAIN, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64
L2, IDENTITY = 0, 0
WIDE_LOADS, WIDE_STORES = {"ld.global.v4.b32", "ld.global.v2.b64"}, {"st.global.v4.b32", "st.global.v2.b64"}
TARGETS = [
    *((capability, dtypes) for capability in (80, 90, 100) for dtypes in ((SINGLE, SINGLE), (BRAIN, BRAIN))),
    (90, (BRAIN, SINGLE)),
    (90, (DOUBLE, DOUBLE)),
]


def four_images(elements: int, dtypes: Dtypes) -> list[torch.Tensor]:
    return [torch.empty(16, elements, dtype=dtype) for dtype in 2 * dtypes]


def discriminator_loss(elements: int, dtypes: Dtypes, needed: int = 0b1111) -> Callable[[], Any]:
    inputs = four_images(elements, dtypes)
    return lambda: operator("energy_loss")(*inputs, torch.ones(()), L2, IDENTITY, needed)


def largest_whole_samples(_: int, dtypes: Dtypes) -> Callable[[], Any]:
    item_size = accumulation_dtype(torch.empty(0, dtype=dtypes[0])).itemsize
    return discriminator_loss(energy.WHOLE_SAMPLE_BYTES // item_size, dtypes)


def backward(elements: int, dtypes: Dtypes) -> Callable[[], Any]:
    inputs = four_images(elements, dtypes)
    energies = 2 * [torch.ones(16, dtype=accumulation_dtype(inputs[0]))]
    one = energies[0][0]
    return lambda: operator("energy_loss_backward_")(
        inputs, one, *inputs, one, energies, L2, IDENTITY, 0b1111, True
    )


@pytest.mark.parametrize(("capability", "dtypes"), TARGETS)
@pytest.mark.parametrize(
    ("call", "elements", "kernels"),
    [
        (discriminator_loss, 28 * 28, ["whole_samples", "mean_loss"]),
        (largest_whole_samples, 0, ["whole_samples", "mean_loss"]),
        (discriminator_loss, 3 * 128 * 128, ["partial_sums", "finish_samples", "mean_loss"]),
        (backward, 3 * 64 * 64, ["gradients", "gradients"]),
    ],
)
def test_images_move_in_128_bit_accesses_and_nothing_spills(
    tmp_path: Path, call, elements, kernels, capability, dtypes
):
    launches = launches_of(energy_kernels, call(elements, dtypes))
    assert [launch.kernel.__name__ for launch in launches] == kernels
    for name, launch in zip(kernels, launches, strict=True):
        compiled = launch.compile(capability)
        assert compiled.spilled_bytes(tmp_path) == 0
        accesses = compiled.global_accesses()
        assert name == "mean_loss" or accesses & WIDE_LOADS
        assert name in ("mean_loss", "partial_sums") or accesses & WIDE_STORES
        assert not accesses & {"ld.global.b16", "st.global.b16"}


@pytest.mark.parametrize("dtype", [SINGLE, BRAIN])
def test_a_gradient_is_scaled_in_128_bit_accesses(tmp_path: Path, dtype):
    images = torch.empty(16, 784, dtype=dtype)
    (launch,) = launches_of(gradient, lambda: operator("scale_gradients_")([images], torch.ones(())))
    compiled = launch.compile(90)
    assert compiled.global_accesses() >= {"ld.global.v4.b32", "st.global.v4.b32"}
    assert compiled.spilled_bytes(tmp_path) == 0


@pytest.mark.parametrize("elements", [1, 12287, 49151, 2**23 + 1])
def test_samples_that_are_not_aligned_compile_without_spills(tmp_path: Path, elements):
    for launch in launches_of(energy_kernels, discriminator_loss(elements, (SINGLE, SINGLE))):
        assert launch.compile(90).spilled_bytes(tmp_path) == 0


@pytest.mark.parametrize("elements", [784, 49152])
def test_without_a_gradient_no_image_is_written(elements):
    for launch in launches_of(energy_kernels, discriminator_loss(elements, (SINGLE, SINGLE), needed=0)):
        accesses = launch.compile(90).global_accesses()
        assert not accesses & WIDE_STORES
        if launch.kernel.__name__ == "finish_samples":
            assert not accesses & WIDE_LOADS, "images are read again for gradients that nobody wants"

"""The kernels of valid convolutions compiled for GPUs that are not here, for layers of the discriminators.

Nothing can be compiled while the interpreter is on, so these tests skip under TRITON_INTERPRET=1.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("the interpreter is on (TRITON_INTERPRET=1)", allow_module_level=True)
pytest.importorskip("triton")
from compilation import launches_of, operator

from ebgan_kernels.native.valid_conv import ACTIVATIONS, FAKES
from ebgan_kernels.triton import valid_conv_kernels

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
# Channels, maps, kernel, pixels a side: thin and wide layers of 4 to 1, of two scales each; one that is odd.
THIN, WIDE, ODD = ((15, 64, 3, 4), (15, 128, 7, 32)), ((128, 128, 3, 4), (256, 512, 5, 20)), ((3, 5, 2, 7),)
TENSOR_CORES = {80: "mma.sync", 90: "wgmma.mma_async", 100: "tcgen05.mma"}
Tensors = tuple[list[torch.Tensor], ...]


def tensors(
    layers: Sequence[tuple[int, ...]], dtype: torch.dtype, channels_last: bool, batch: int = 8
) -> Tensors:
    form = torch.channels_last if channels_last else torch.contiguous_format

    def empty(*shape: int) -> torch.Tensor:
        return torch.empty(shape, dtype=dtype).contiguous(memory_format=form)

    inputs = [empty(batch, channels, side, side) for channels, _, _, side in layers]
    weights = [empty(maps, channels, kernel, kernel) for channels, maps, kernel, _ in layers]
    return inputs, weights, [torch.empty(maps, dtype=dtype) for _, maps, _, _ in layers]


def forward(of: Tensors, activation: str = "relu", tf32: bool = False) -> Callable[[], Any]:
    return lambda: operator("multiscale_valid_conv2d")(*of, ACTIVATIONS[activation], tf32)


def backward(of: Tensors, activation: str = "relu", tf32: bool = False) -> Callable[[], Any]:
    inputs, weights, _ = of
    outputs = FAKES["multiscale_valid_conv2d"](inputs, weights)
    all_scales = (1 << len(inputs)) - 1
    return lambda: operator("multiscale_valid_conv2d_backward")(
        outputs, outputs, inputs, weights, ACTIVATIONS[activation], tf32, *3 * (all_scales,)
    )


@pytest.mark.parametrize(
    ("capability", "layers", "dtype", "tf32", "channels_last"),
    [
        (80, WIDE, BRAIN, False, True),
        (80, THIN, SINGLE, True, False),
        (100, WIDE, SINGLE, True, True),
        (90, ODD, SINGLE, False, False),
        (80, ODD, DOUBLE, False, True),
    ],
)
def test_nothing_spills(tmp_path: Path, capability, layers, dtype, tf32, channels_last):
    of = tensors(layers, dtype, channels_last)
    launches = [
        launch
        for call in (forward(of, tf32=tf32), backward(of, tf32=tf32))
        for launch in launches_of(valid_conv_kernels, call)
    ]
    names = [launch.kernel.__name__ for launch in launches]
    assert names[:3] == ["correlate", "correlate", "weight_gradients"]
    spilled = [launch.compile(capability).spilled_bytes(tmp_path) for launch in launches]
    assert spilled == [0] * len(launches), names


@pytest.mark.parametrize("activation", ["leaky_relu", "tanh"])
def test_the_other_activations_do_not_spill(tmp_path: Path, activation):
    of = tensors(ODD, HALF, True)
    for call in (forward(of, activation), backward(of, activation)):
        for launch in launches_of(valid_conv_kernels, call):
            assert launch.compile(90).spilled_bytes(tmp_path) == 0


@pytest.mark.parametrize(("capability", "tf32"), [(80, True), (90, False), (100, False)])
def test_products_are_made_by_tensor_cores_but_for_ieee_float32(capability, tf32):
    dtype = SINGLE if tf32 else BRAIN
    # So many pixels that tiles stay large.
    (launch,) = launches_of(
        valid_conv_kernels, forward(tensors(((16, 64, 3, 32),), dtype, True, 64), tf32=tf32)
    )
    assert TENSOR_CORES[capability] in launch.compile(capability).ptx
    (plain,) = launches_of(valid_conv_kernels, forward(tensors(ODD, SINGLE, True)))
    assert "mma" not in plain.compile(capability).ptx


def test_all_scales_of_a_layer_are_one_launch_each_way():
    of = tensors((*THIN, *WIDE), SINGLE, False)
    assert len(launches_of(valid_conv_kernels, forward(of))) == 1
    assert len(launches_of(valid_conv_kernels, backward(of))) == 3

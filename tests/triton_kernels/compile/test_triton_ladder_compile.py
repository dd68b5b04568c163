"""The ladder kernels compiled for GPUs that are not here: wide accesses, and no spills.

Nothing can be compiled while the interpreter is on, so these tests skip under TRITON_INTERPRET=1.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

if os.environ.get("TRITON_INTERPRET") == "1":
    pytest.skip("the interpreter is on (TRITON_INTERPRET=1)", allow_module_level=True)
pytest.importorskip("triton")
from compilation import launches_of, operator

from ebgan_kernels.reference.dtypes import accumulation_dtype
from ebgan_kernels.triton import ladder_kernels, ladder_layer_kernels
from support.ladder import COMBINATOR, Case
from support.ladder_layer import Layer

BRAIN, SINGLE, DOUBLE = torch.bfloat16, torch.float32, torch.float64
WIDE = {
    SINGLE: {"ld.global.v4.b32", "st.global.v4.b32"},
    BRAIN: {"ld.global.v2.b32", "st.global.v2.b32"},
    DOUBLE: {"ld.global.v2.b64", "st.global.v2.b64"},
}
MIXES = [
    (80, (SINGLE, SINGLE)),
    (90, (SINGLE, SINGLE)),
    (100, (SINGLE, SINGLE)),
    (90, (BRAIN, BRAIN)),
    (90, (BRAIN, SINGLE)),
    (90, (DOUBLE, DOUBLE)),
]


def cost(dtypes, needed=0b111111, units=784, rows=100):
    inputs = [
        x.detach() for x in Case("ladder_denoising_cost", (2,)).inputs(rows=rows, units=units, dtypes=dtypes)
    ]
    return lambda: operator("ladder_denoising_cost")(*inputs, needed)


@pytest.mark.parametrize(("capability", "dtypes"), MIXES)
def test_a_cost_with_gradients_moves_in_wide_accesses_and_nothing_spills(tmp_path: Path, capability, dtypes):
    of_tiles, *others = (launch.compile(capability) for launch in launches_of(ladder_kernels, cost(dtypes)))
    assert of_tiles.spilled_bytes(tmp_path) == 0
    assert [other.spilled_bytes(tmp_path) for other in others] == [0, 0]
    assert of_tiles.global_accesses() >= WIDE[dtypes[0]]


@pytest.mark.parametrize(("rows", "units"), [(100, 10), (1500, 33)])
def test_rows_that_are_not_aligned_compile_without_spills(tmp_path: Path, rows, units):
    for launch in launches_of(ladder_kernels, cost((SINGLE, SINGLE), units=units, rows=rows)):
        assert launch.compile(90).spilled_bytes(tmp_path) == 0


@pytest.mark.parametrize(("capability", "dtypes"), MIXES[1:2] + MIXES[3:])
def test_the_combinator_and_its_backward_do_not_spill(tmp_path: Path, capability, dtypes):
    inputs = [x.detach() for x in Case(COMBINATOR, (2,)).inputs(rows=100, units=784, dtypes=dtypes)]
    calls = (
        lambda: operator("gaussian_combinator")(*inputs),
        lambda: operator("gaussian_combinator_backward")(inputs[0], *inputs, 0b111),
    )
    for call in calls:
        of_tiles, *_ = launches = [launch.compile(capability) for launch in launches_of(ladder_kernels, call)]
        assert all(compiled.spilled_bytes(tmp_path) == 0 for compiled in launches)
        assert of_tiles.global_accesses() >= WIDE[inputs[0].dtype]


def test_the_backward_reads_the_incoming_gradient_and_does_not_spill(tmp_path: Path):
    inputs = [x.detach() for x in Case("ladder_denoising_cost", (2,)).inputs(rows=100, units=784)]
    buffers = [torch.empty_like(x) for x in inputs]

    def backward() -> None:
        operator("ladder_denoising_cost_backward_")(buffers, torch.ones(2), *inputs, 0b111111, True)

    for launch in launches_of(ladder_kernels, backward):
        assert launch.compile(90).spilled_bytes(tmp_path) == 0


def test_without_a_gradient_nothing_but_squares_is_written():
    without, _ = launches_of(ladder_kernels, cost((SINGLE, SINGLE), needed=0))
    assert without.compile(90).ptx.count("st.global") == 1


@pytest.mark.parametrize(("capability", "dtypes"), MIXES)
def test_a_layer_and_its_backward_move_in_wide_accesses_without_spills(tmp_path: Path, capability, dtypes):
    layer = Layer(("noise", "beta", "gamma"))
    inputs = [x.detach() for x in layer.inputs(rows=100, units=784, dtypes=dtypes).values()]
    z, h = torch.empty_like(inputs[0]), torch.empty_like(inputs[0])
    mean, std = torch.zeros(2, 2, 3, 784, dtype=accumulation_dtype(z))
    calls = (
        lambda: operator("ladder_layer")(*inputs, True),
        lambda: operator("ladder_layer_backward")(z, h, mean, std, *inputs, mean, std, True, 0b111),
    )
    for call in calls:
        (launch,) = launches_of(ladder_layer_kernels, call)
        compiled = launch.compile(capability)
        assert compiled.spilled_bytes(tmp_path) == 0
        # Of bfloat16 a thread takes eight at once, 128 bits.
        assert compiled.global_accesses() >= WIDE[DOUBLE if z.dtype == DOUBLE else SINGLE]


def test_a_plain_normalisation_reads_and_writes_nothing_else(tmp_path: Path):
    x = torch.randn(2, 100, 784)
    (forward,) = launches_of(
        ladder_layer_kernels, lambda: operator("ladder_layer")(x, None, None, None, False)
    )
    compiled = forward.compile(90)
    # z, mean and std
    assert compiled.spilled_bytes(tmp_path) == 0 and compiled.ptx.count("st.global") <= 2 * 3

"""The step between two dense layers in Triton against the reference: values, gradients and edges."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from support.ladder_layer import (
    LAYERS,
    Layer,
    assert_layer_close_to_float64,
    results_and_gradients,
    torch_results_and_gradients,
)

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
ALL = Layer(("noise", "beta", "gamma"))


@pytest.fixture(autouse=True)
def _by_triton() -> Iterator[None]:
    with ek.backend("triton"):
        yield


# Blocks are 32 rows of 32 units in float32, and 8 of them are added up at a time.
@pytest.mark.parametrize(("rows", "units"), [(2, 1), (32, 32), (33, 65), (300, 3)], ids=str)
def test_layers_around_the_edges_of_blocks_are_right(device, rows, units):
    layer = Layer(("noise", "beta", "gamma"), axes=(2,))
    assert_layer_close_to_float64(layer, layer.inputs(rows=rows, units=units, device=device))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_every_way_to_call_it_is_right(device, layer):
    assert_layer_close_to_float64(layer, layer.inputs(device=device))


@pytest.mark.parametrize(
    "dtypes", [(BRAIN, SINGLE), (HALF, HALF), (BRAIN, BRAIN), (SINGLE, HALF), (DOUBLE, DOUBLE)], ids=str
)
def test_types_mix_and_each_gradient_has_its_inputs_dtype(device, dtypes):
    assert_layer_close_to_float64(ALL, ALL.inputs(dtypes=dtypes, device=device))


def test_strided_parts_are_read_where_they_are(device):
    inputs = Layer().inputs(device=device)
    noise = inputs["noise"]
    placed = inputs | {"noise": torch.cat([torch.full_like(noise, 9), noise], 1)[:, noise.shape[1] :]}
    assert not placed["noise"].is_contiguous()
    for ours, expected in zip(
        results_and_gradients(Layer(), placed), results_and_gradients(Layer(), inputs), strict=True
    ):
        assert torch.equal(ours, expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_spread_as_in_torch(device, odd):
    for name in ("x", "noise", "beta", "gamma"):
        inputs = ALL.inputs(units=5, device=device)
        with torch.no_grad():
            inputs[name].view(-1, 5)[0, 3] = odd
        torch.testing.assert_close(
            results_and_gradients(ALL, inputs),
            torch_results_and_gradients(ALL, inputs, SINGLE),
            equal_nan=True,
            rtol=1e-4,
            atol=1e-4,
        )


@pytest.mark.parametrize("axes", [(0, 2), (2, 0)], ids=str)
def test_no_networks_and_no_parts(device, axes):
    layer = Layer(("noise", "beta", "gamma"), axes=axes)
    assert_layer_close_to_float64(layer, layer.inputs(device=device))


def test_the_same_input_gives_the_same_bits(device):
    inputs = Layer().inputs(rows=40, units=33, device=device)
    first, second = (results_and_gradients(Layer(), inputs) for _ in range(2))
    assert all(map(torch.equal, first, second))


def test_gradients_that_are_not_needed_are_not_made(operator, device):
    inputs = [x.detach() for x in ALL.inputs(device=device).values()]
    z, mean, std, h = operator("ladder_layer")(*inputs, True)
    arguments = (z, h, mean, std, *inputs, mean, std, True)
    complete = operator("ladder_layer_backward")(*arguments, 0b111)
    assert [gradient.shape for gradient in complete] == [inputs[i].shape for i in (0, 2, 3)]
    for wanted in range(3):
        (gradient,) = operator("ladder_layer_backward")(*arguments, 1 << wanted)
        assert torch.equal(gradient, complete[wanted])


def test_h_is_not_made_where_it_equals_z(operator, device):
    x = ALL.inputs(device=device)["x"].detach()
    z, mean, std = operator("ladder_layer")(x, None, None, None, False)
    assert z.shape == x.shape and mean.shape == std.shape == (*x.shape[:-2], x.shape[-1])
    *_, h = operator("ladder_layer")(x, None, None, None, True)
    assert torch.equal(h, z.relu())


def test_the_operators_are_registered_rightly(operator, device):
    inputs = [x.detach() for x in ALL.inputs(rows=3, units=5, device=device).values()]
    torch.library.opcheck(operator("ladder_layer"), (*inputs, True))
    torch.library.opcheck(operator("ladder_layer"), (inputs[0], None, None, None, False))
    _, mean, std, h = operator("ladder_layer")(*inputs, True)
    grads = (h.clone(), None, mean.clone(), None)
    torch.library.opcheck(operator("ladder_layer_backward"), (*grads, *inputs, mean, std, True, 0b101))

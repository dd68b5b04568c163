"""Values and gradients against float64, for every activation, dtype, shape and stride."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.valid_conv import Activation
from support.implementations import device_of, interpreted
from support.layouts import LAYOUTS
from support.valid_conv import (
    ACTIVATIONS,
    SCALES,
    SMALL,
    Layer,
    assert_as_accurate_as_torch,
    assert_close_to_float64,
    incoming,
    on_cpu,
    results,
    tensors_of,
    torch_results,
)

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_results_are_as_accurate_as_pytorch(
    activation: Activation, bias: bool, channels_last: bool, implementation: ek.Backend
) -> None:
    ours, torchs, exacts = [], [], []
    for seed in range(3):
        tensors = tensors_of(
            SCALES, seed, device=device_of(implementation), bias=bias, channels_last=channels_last
        )
        gradients = incoming(tensors)
        ours.append(results(tensors, activation, gradients))
        torchs.append(torch_results(tensors, activation, gradients, SINGLE))
        exacts.append(torch_results(tensors, activation, gradients, DOUBLE))
    for one in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        assert_as_accurate_as_torch(*([value.detach() for value in values] for values in one))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [HALF, BRAIN, SINGLE, DOUBLE], ids=str)
def test_every_dtype_keeps_its_precision(
    dtype: torch.dtype, activation: Activation, implementation: ek.Backend
) -> None:
    tensors = tensors_of(SCALES, dtype=dtype, device=device_of(implementation))
    found = results(tensors, activation, incoming(tensors))
    assert {value.dtype for value in found} == {dtype}
    assert_close_to_float64(tensors, activation, found, incoming(tensors))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same(name: str, implementation: ek.Backend) -> None:
    inputs, weights, biases = tensors_of([SMALL], device=device_of(implementation))
    place = LAYOUTS[name]
    tensors = (
        [place(inputs[0].detach()).requires_grad_()],
        [place(weights[0].detach()).requires_grad_()],
        biases,
    )
    gradients = [place(incoming(tensors)[0])]
    found = results(tensors, "relu", gradients)
    assert_close_to_float64(tensors, "relu", found, gradients)


@pytest.mark.parametrize("layer", [*SCALES, Layer((8, 4, 6, 6), 3, (5, 5))], ids=str)
def test_a_channels_last_input_gives_a_channels_last_output(layer: Layer, implementation: ek.Backend) -> None:
    inputs, weights, biases = tensors_of([layer], device=device_of(implementation), channels_last=True)
    output = ek.valid_conv2d(inputs[0], weights[0], biases[0], activation="relu")
    assert output.is_contiguous(memory_format=torch.channels_last)


def test_shapes_and_strides_of_every_kind(implementation: ek.Backend) -> None:
    pytest.importorskip("hypothesis")
    from hypothesis import given, settings
    from hypothesis import strategies as st

    sizes = st.integers(1, 3)

    @st.composite
    def layers(draw: st.DrawFn) -> Layer:
        kernel = draw(st.integers(1, 7)), draw(st.integers(1, 7))
        height, width = (side + draw(st.integers(0, 4)) for side in kernel)
        return Layer((draw(st.integers(0, 3)), draw(sizes), height, width), draw(sizes), kernel)

    @settings(max_examples=min(40, settings.default.max_examples))
    @given(
        st.lists(layers(), min_size=1, max_size=5), st.sampled_from(ACTIVATIONS), st.booleans(), st.booleans()
    )
    def check(scales: list[Layer], activation: Activation, bias: bool, channels_last: bool) -> None:
        tensors = tensors_of(scales, device=device_of(implementation), bias=bias, channels_last=channels_last)
        found = results(tensors, activation, incoming(tensors))
        assert_close_to_float64(tensors, activation, found, incoming(tensors))

    check()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_an_empty_batch_beside_a_full_one(activation: Activation, implementation: ek.Backend) -> None:
    tensors = tensors_of([Layer((0, 3, 4, 4), 2, (3, 3)), SMALL], device=device_of(implementation))
    found = results(tensors, activation, incoming(tensors))
    assert_close_to_float64(tensors, activation, found, incoming(tensors))
    assert not found[4].any() and found[0].shape == (0, 2, 2, 2)  # the empty batch's weight has no gradient


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_nan_and_infinity_go_where_they_go_in_pytorch(
    activation: Activation, odd: float, implementation: ek.Backend
) -> None:
    for kind in range(3):
        tensors = tensors_of([SMALL], device=device_of(implementation))
        with torch.no_grad():
            tensors[kind][0].view(-1)[1] = odd  # type: ignore[union-attr]
        gradients = incoming(tensors)
        found = [result.cpu() for result in results(tensors, activation, gradients)]
        # On a GPU cuDNN, too, multiplies a weight with the zeros beside an image.
        expected = torch_results(on_cpu(tensors), activation, [g.cpu() for g in gradients], SINGLE)
        if kind == 1 and implementation == "triton":
            # Its tiles multiply every weight with the zeros beside an image, too: NaN at pixels near the edge
            # whose gradient has no such term in PyTorch.
            near_edge = torch.ones_like(found[1], dtype=torch.bool)
            rows, columns = (side - 1 for side in SMALL.kernel)
            near_edge[..., rows:-rows, columns:-columns] = False
            found[1] = torch.where(near_edge & found[1].isnan(), expected[1], found[1])
        for ours, theirs in zip(found, expected, strict=True):
            torch.testing.assert_close(ours, theirs, equal_nan=True, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.2), ("tanh", 1.0)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_the_derivative_at_zero_is_pytorchs(
    activation: Activation, slope: float, channels_last: bool, implementation: ek.Backend
) -> None:
    inputs, weights, _ = tensors_of([SMALL], device=device_of(implementation), channels_last=channels_last)
    bias = torch.zeros(3, device=inputs[0].device, requires_grad=True)
    output = ek.valid_conv2d(torch.zeros_like(inputs[0]), weights[0], bias, activation=activation)
    output.sum().backward()
    torch.testing.assert_close(bias.grad, torch.full_like(bias, slope * output[:, 0].numel()))


def test_the_same_bits_at_every_run(implementation: ek.Backend) -> None:
    large = [] if interpreted(implementation) else [Layer((9, 3, 20, 17), 4, (3, 3))]
    tensors = tensors_of([*SCALES, *large], device=device_of(implementation))

    def bits() -> list[Tensor]:
        return results(tensors, "relu", incoming(tensors))

    first = bits()
    assert all(map(torch.equal, bits(), first))

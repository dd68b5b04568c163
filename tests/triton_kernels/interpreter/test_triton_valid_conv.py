"""Valid convolutions in Triton: tiles and their edges, parts of sums, layouts, dtypes, scales, wants."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from ebgan_kernels.native.valid_conv import ACTIVATIONS as CODES
from ebgan_kernels.reference.valid_conv import Activation
from support.valid_conv import (
    ACTIVATIONS,
    SCALES,
    SMALL,
    Layer,
    Tensors,
    assert_as_accurate_as_torch,
    assert_close_to_float64,
    incoming,
    tensors_of,
    torch_results,
)

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
Operator = Callable[[str], Callable[..., Any]]

# Two tiles of maps and several of pixels; two of terms; sums over pixels in several parts.
MANY_MAPS, MANY_TERMS, MANY_PIXELS = (
    Layer((2, 2, 6, 7), 65, (1, 1)),
    Layer((1, 9, 4, 5), 2, (3, 4)),
    Layer((2, 1, 12, 13), 1, (3, 3)),
)


def run(
    operator: Operator,
    tensors: Tensors,
    activation: Activation,
    gradients: Sequence[Tensor],
    needed: Sequence[int] | None = None,
) -> tuple[list[Tensor], list[list[Tensor]]]:
    """Outputs, and by kind those gradients that are needed."""
    inputs, weights = ([x.detach() for x in kind] for kind in tensors[:2])
    biases = [
        weight.new_empty(0) if bias is None else bias.detach()
        for bias, weight in zip(tensors[2], weights, strict=True)
    ]
    outputs = operator("multiscale_valid_conv2d")(inputs, weights, biases, CODES[activation], False)
    if needed is None:
        all_scales = (1 << len(inputs)) - 1
        of_biases = sum(1 << i for i, bias in enumerate(tensors[2]) if bias is not None)
        needed = (all_scales, all_scales, of_biases)
    found = operator("multiscale_valid_conv2d_backward")(
        gradients, outputs, inputs, weights, CODES[activation], False, *needed
    )
    each = iter(found)
    by_kind = [list(itertools.islice(each, bits.bit_count())) for bits in needed]
    assert len(found) == sum(map(len, by_kind)) == sum(bits.bit_count() for bits in needed)
    return outputs, by_kind


def assert_right(
    operator: Operator, tensors: Tensors, activation: Activation, gradients: Sequence[Tensor] | None = None
) -> None:
    gradients = incoming(tensors) if gradients is None else gradients
    outputs, by_kind = run(operator, tensors, activation, gradients)
    found = [*outputs, *(x for kind in by_kind for x in kind)]
    assert_close_to_float64(tensors, activation, found, gradients)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations_are_as_accurate_as_torch(operator, device, activation, channels_last):
    ours, torchs, exacts = [], [], []
    for seed in range(2):
        tensors = tensors_of([SMALL], seed, device=device, channels_last=channels_last)
        outputs, by_kind = run(operator, tensors, activation, incoming(tensors))
        ours.append([*outputs, *(x for kind in by_kind for x in kind)])
        torchs.append(torch_results(tensors, activation, incoming(tensors), SINGLE))
        exacts.append(torch_results(tensors, activation, incoming(tensors), DOUBLE))
    for one in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        assert_as_accurate_as_torch(*([value.detach() for value in values] for values in one))


@pytest.mark.parametrize("dtype", [SINGLE, DOUBLE])
def test_tanh_is_right_everywhere(operator, device, dtype):
    x = torch.cat([torch.linspace(-3, 3, 301), torch.tensor([0.0, -0.0, 1e-30, 20, -90, torch.inf])])
    x = x.to(device, dtype)
    one = torch.ones(1, 1, 1, 1, dtype=dtype, device=device)
    (y,) = operator("multiscale_valid_conv2d")(
        [x.view(-1, 1, 1, 1)], [one], [x.new_empty(0)], CODES["tanh"], False
    )
    exact = x.double().tanh()
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(y.flatten().double(), exact, rtol=2 * eps, atol=0)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("layer", [MANY_MAPS, MANY_TERMS, MANY_PIXELS], ids=str)
def test_tiles_and_parts_meet_without_a_seam(operator, device, layer, channels_last):
    assert_right(operator, tensors_of([layer], device=device, channels_last=channels_last), "relu")


@pytest.mark.parametrize("dtype", [HALF, BRAIN, DOUBLE])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_every_dtype_keeps_its_precision(operator, device, activation, dtype):
    assert_right(operator, tensors_of([SMALL], device=device, dtype=dtype), activation)


def test_scales_of_one_launch_are_independent(operator, device):
    assert_right(operator, tensors_of(SCALES, device=device, bias=False), "leaky_relu")


def test_more_scales_than_one_launch_takes(operator, device):
    layers = [Layer((1, 1, 2, size), 2, (1, 2)) for size in (2, 3, 4, 5, 6)]
    assert_right(operator, tensors_of(layers, device=device), "none")


def test_pixels_that_take_64_bits_to_count(operator, device, monkeypatch):
    from ebgan_kernels.triton import valid_conv

    monkeypatch.setattr(valid_conv, "LARGEST_INT32", 0)
    assert_right(operator, tensors_of([SMALL, MANY_PIXELS], device=device), "relu")


def test_each_tensor_has_a_layout_of_its_own(operator, device):
    contiguous, last = (tensors_of([SMALL], device=device, channels_last=form) for form in (False, True))
    gradients = [incoming(contiguous)[0].contiguous(memory_format=torch.channels_last)]
    assert_right(operator, (contiguous[0], last[1], contiguous[2]), "relu", gradients)
    assert_right(operator, (last[0], contiguous[1], contiguous[2]), "relu")


def test_only_what_is_wanted_is_computed(operator, device):
    tensors = tensors_of([SMALL, MANY_PIXELS], device=device)
    gradients = incoming(tensors)
    _, everything = run(operator, tensors, "relu", gradients)
    for wanted in ((0, 0), (1, 1), (2, 0), (2, 1)):
        kind, scale = wanted
        needed = [1 << scale if each == kind else 0 for each in range(3)]
        _, found = run(operator, tensors, "relu", gradients, needed)
        (gradient,) = found[kind]
        torch.testing.assert_close(gradient, everything[kind][scale])


def test_an_empty_batch_has_gradients_of_zero(operator, device):
    tensors = tensors_of([Layer((0, 2, 3, 3), 2, (2, 2)), SMALL], device=device)
    outputs, (inputs, weights, biases) = run(operator, tensors, "relu", incoming(tensors))
    assert outputs[0].shape == (0, 2, 2, 2) and inputs[0].shape == (0, 2, 3, 3)
    assert not weights[0].any() and not biases[0].any() and weights[1].any()


@pytest.mark.parametrize("odd", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_nan_and_infinity_go_where_they_go_in_pytorch(operator, device, activation, odd):
    tensors = tensors_of([SMALL], device=device)
    with torch.no_grad():
        tensors[0][0].view(-1)[7] = odd
    outputs, by_kind = run(operator, tensors, activation, incoming(tensors))
    expected = torch_results(tensors, activation, incoming(tensors), SINGLE)
    found = [*outputs, *(x for kind in by_kind for x in kind)]
    torch.testing.assert_close(found, expected, equal_nan=True, rtol=1e-5, atol=1e-5)


def test_the_same_input_gives_the_same_bits(operator, device):
    tensors = tensors_of([MANY_PIXELS], device=device)
    (first, gradients), (second, again) = (
        run(operator, tensors, "tanh", incoming(tensors)) for _ in range(2)
    )
    assert torch.equal(first[0], second[0])
    assert all(torch.equal(a[0], b[0]) for a, b in zip(gradients, again, strict=True))


def test_the_operators_are_registered_rightly(operator, device):
    tensors = tensors_of([Layer((1, 1, 2, 2), 1, (2, 1))], device=device)
    inputs, weights, biases = ([x.detach() for x in kind] for kind in tensors)
    torch.library.opcheck(operator("multiscale_valid_conv2d"), (inputs, weights, biases, 1, False))
    arguments = (incoming(tensors), incoming(tensors), inputs, weights, 1, False, 1, 0, 1)
    torch.library.opcheck(operator("multiscale_valid_conv2d_backward"), arguments)

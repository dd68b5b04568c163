"""torch.library.opcheck of the registered operators: schema, fake kernel, aliasing, dynamic shapes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.native.valid_conv import ACTIVATIONS
from ebgan_kernels.ops.gradients import operator
from support.implementations import device_of
from support.valid_conv import SMALL, Layer, incoming, tensors_of

TWO = (SMALL, Layer((1, 3, 3, 3), 2, (3, 3)))


@pytest.fixture
def registered(kernels: ek.Backend) -> ek.Backend:
    if kernels == "cpu":
        pytest.skip("on a CPU torch's own convolution runs")
    return kernels


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16], ids=str)
def test_operators_pass_opcheck(dtype: torch.dtype, channels_last: bool, registered: ek.Backend) -> None:
    device = device_of(registered)
    drawn = tensors_of(TWO, dtype=dtype, device=device, channels_last=channels_last)
    inputs, weights, biases = ([x.detach() for x in kind] for kind in drawn)  # type: ignore[union-attr]
    biases[1] = biases[1].new_empty(0)
    activation = ACTIVATIONS["leaky_relu"]
    forward = operator(registered, "multiscale_valid_conv2d")
    torch.library.opcheck(forward, (inputs, weights, biases, activation, False))
    outputs, gradients = forward(inputs, weights, biases, activation, False), incoming(drawn)
    for needed in ((0b11, 0b11, 0b11), (0b01, 0b10, 0)):  # of inputs, weights and biases
        arguments = (gradients, outputs, inputs, weights, activation, False, *needed)
        torch.library.opcheck(operator(registered, "multiscale_valid_conv2d_backward"), arguments)


def test_shapes_are_known_without_a_kernel() -> None:
    inputs, weights = torch.empty(2, 3, 5, 6, device="meta"), torch.empty(4, 3, 3, 2, device="meta")
    forward = torch.ops.ebgan_kernels.multiscale_valid_conv2d
    (output,) = forward([inputs], [weights], [torch.empty(4, device="meta")], 0, False)
    assert output.shape == (2, 4, 3, 5)


def test_activations_have_the_numbers_that_the_kernels_know_them_by() -> None:
    header = Path(__file__).parents[2] / "csrc" / "math" / "valid_conv.h"
    listed = re.search(r"enum class Activation : int \{ (.*) \};", header.read_text())
    assert listed is not None
    numbers = dict(re.findall(r"k(\w+) = (\d)", listed[1]))
    named = {name.title().replace("_", ""): str(number) for name, number in ACTIVATIONS.items()}
    assert named == numbers


def test_an_unwanted_gradient_takes_no_memory(registered: ek.Backend) -> None:
    drawn = tensors_of(TWO, device=device_of(registered))
    inputs, weights, _ = ([x.detach() for x in kind] for kind in drawn)  # type: ignore[union-attr]
    of = [x.shape for x in (*inputs, *weights)] + [x.shape[:1] for x in weights]
    for wanted in range(6):
        needed = ((1 << wanted) >> 2 * kind & 0b11 for kind in range(3))
        gradients = operator(registered, "multiscale_valid_conv2d_backward")(
            incoming(drawn), incoming(drawn), inputs, weights, ACTIVATIONS["none"], False, *needed
        )
        assert [x.shape for x in gradients] == [of[wanted]]

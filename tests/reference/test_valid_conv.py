"""The definition of valid convolutions against values worked out by hand and loops over every product."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import valid_conv as reference

# Windows of 2 x 2 in two rows and three columns:  1 -2 3     products with  1 2   are  1 - 4 + 8 = 5
#                                                  0  4 1                    3 2        -2 + 6 + 14 = 18
IMAGE = torch.tensor([[[[1.0, -2.0, 3.0], [0.0, 4.0, 1.0]]]])
KERNEL = torch.tensor([[[[1.0, 2.0], [3.0, 2.0]]]])


def test_a_kernel_slides_over_an_image_and_is_not_flipped() -> None:
    output = reference.valid_conv2d(IMAGE, KERNEL, None, "none")
    assert output.tolist() == [[[[5.0, 18.0]]]]


@pytest.mark.parametrize(
    ("activation", "values"),
    [
        ("none", [-2.0, 11.0]),
        ("relu", [0.0, 11.0]),
        ("leaky_relu", [-0.4, 11.0]),
        ("tanh", [math.tanh(-2.0), math.tanh(11.0)]),
    ],
)
def test_the_activation_comes_after_the_bias(activation: reference.Activation, values: list[float]) -> None:
    output = reference.valid_conv2d(IMAGE, KERNEL, torch.tensor([-7.0]), activation)
    assert output.flatten().tolist() == pytest.approx(values)


@pytest.mark.parametrize(("activation", "slope"), [("relu", 0.0), ("leaky_relu", 0.2), ("tanh", 1.0)])
def test_the_derivative_at_zero(activation: reference.Activation, slope: float) -> None:
    bias = torch.tensor([-5.0], requires_grad=True)  # the first output is 0 before the activation
    reference.valid_conv2d(IMAGE, KERNEL, bias, activation)[..., 0].sum().backward()
    assert bias.grad is not None and bias.grad.item() == pytest.approx(slope)


def test_gradients_of_two_windows() -> None:
    image, kernel = IMAGE.clone().requires_grad_(), KERNEL.clone().requires_grad_()
    bias = torch.zeros(1, requires_grad=True)
    output = reference.valid_conv2d(image, kernel, bias, "none")
    image_gradient, kernel_gradient, bias_gradient = torch.autograd.grad(
        output, (image, kernel, bias), torch.tensor([[[[1.0, 10.0]]]])
    )
    # The middle column is in both windows: 1 * 2 + 10 * 1 above, 1 * 2 + 10 * 3 below.
    assert image_gradient.tolist() == [[[[1.0, 12.0, 20.0], [3.0, 32.0, 20.0]]]]
    # A tap meets a value of each window: 1 * 1 + 10 * -2, 1 * -2 + 10 * 3; 1 * 0 + 10 * 4, 1 * 4 + 10 * 1.
    assert kernel_gradient.tolist() == [[[[-19.0, 28.0], [40.0, 14.0]]]]
    assert bias_gradient.tolist() == [11.0]


def loop(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Over every sample, map, pixel, channel and tap."""
    samples, channels, height, width = input.shape
    maps, _, rows, columns = weight.shape
    output = torch.empty(samples, maps, height - rows + 1, width - columns + 1, dtype=torch.float64)
    for n, o, i, j in itertools.product(*map(range, output.shape)):
        total = bias[o].item()
        for c, k, m in itertools.product(range(channels), range(rows), range(columns)):
            total += input[n, c, i + k, j + m].item() * weight[o, c, k, m].item()
        output[n, o, i, j] = total
    return output


@pytest.mark.parametrize(
    ("input", "weight"),
    [((2, 3, 5, 4), (4, 3, 2, 3)), ((1, 1, 3, 3), (2, 1, 3, 3)), ((3, 2, 4, 6), (1, 2, 1, 1))],
)
def test_convolutions_equal_loops(input: tuple[int, ...], weight: tuple[int, ...]) -> None:
    x, w = torch.randn(input, dtype=torch.float64), torch.randn(weight, dtype=torch.float64)
    bias = torch.randn(weight[0], dtype=torch.float64)
    expected = loop(x, w, bias)
    torch.testing.assert_close(reference.valid_conv2d(x, w, bias, "none"), expected)
    torch.testing.assert_close(reference.valid_conv2d(x, w, bias, "relu"), expected.clamp(min=0))


def test_scales_are_independent_layers() -> None:
    inputs = [torch.randn(2, 3, size, size) for size in (4, 8)]
    weights = [torch.randn(5, 3, 3, 3), torch.randn(6, 3, 2, 2)]
    biases = [None, torch.randn(6)]
    outputs = reference.multiscale_valid_conv2d(inputs, weights, biases, "tanh")
    assert [tuple(output.shape) for output in outputs] == [(2, 5, 2, 2), (2, 6, 7, 7)]
    for output, *layer in zip(outputs, inputs, weights, biases, strict=True):
        assert torch.equal(output, reference.valid_conv2d(*layer, "tanh"))

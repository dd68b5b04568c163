"""Valid convolutions on CUDA: edges of tiles and vectors, layouts, dtypes, activations, grouped scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, product

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ebgan_kernels.native.valid_conv import ACTIVATIONS
from support.needed import needed_of

OPERATORS = torch.ops.ebgan_kernels
# dtype, TF32 allowed, largest error relative to the largest value
PRECISIONS = {
    "fp64": (torch.float64, False, 1e-13),
    "fp32": (torch.float32, False, 1e-5),
    "tf32": (torch.float32, True, 2e-3),
    "fp16": (torch.float16, True, 2e-3),
    "bf16": (torch.bfloat16, True, 1.6e-2),
}
# N, C, H, W, O, KH, KW: sums of less than a vector, a slice and a chunk and of many chunks; tiles of 4 to 128
# maps and of 64 to 256 pixels, exactly, by one more and by one less; kernels 1 to 7; outputs of 1 x 1.
SHAPES = (
    (1, 1, 1, 1, 1, 1, 1), (3, 1, 9, 6, 2, 2, 4), (2, 3, 34, 33, 128, 3, 3), (4, 12, 4, 4, 64, 3, 3),
    (2, 15, 16, 16, 128, 5, 5), (8, 15, 32, 32, 128, 7, 7), (8, 48, 4, 4, 16, 3, 3), (3, 48, 8, 9, 33, 5, 1),
    (5, 7, 7, 7, 65, 7, 7), (64, 16, 3, 3, 31, 3, 3), (2, 128, 12, 12, 3, 3, 3), (1, 33, 130, 5, 129, 1, 3),
    (8, 128, 26, 26, 256, 7, 7), (2, 256, 20, 20, 512, 5, 5), (2, 512, 16, 16, 128, 5, 5),
    (7, 64, 6, 5, 4, 2, 3),
)  # fmt: skip
# The first layers of the discriminators of 4 to 1 and 8 to 8, and more scales than one launch takes.
SCALES = (
    ((8, 15, 4, 4, 64, 3, 3), (8, 15, 8, 8, 64, 3, 3), (8, 15, 16, 16, 128, 5, 5),
     (8, 15, 32, 32, 128, 7, 7)),
    ((8, 48, 4, 4, 16, 3, 3), (8, 48, 8, 8, 16, 3, 3), (8, 48, 16, 16, 32, 5, 5), (8, 48, 32, 32, 32, 7, 7)),
    ((1, 15, 4, 4, 64, 3, 3), (1, 15, 8, 8, 64, 3, 3), (1, 15, 16, 16, 128, 5, 5)),
    ((0, 5, 6, 6, 3, 2, 2), (3, 5, 6, 6, 3, 6, 6), (0, 9, 3, 3, 20, 1, 1)),
    tuple((1 + i % 3, 3 + i, 5 + i, 4 + i, 7 * i + 1, 1 + i % 4, 1 + i % 3) for i in range(19)),
)  # fmt: skip


MOST_EMULATED = 50_000_000  # products that an emulated device is given: it takes about a second for them


def _products(n: int, c: int, h: int, w: int, o: int, kh: int, kw: int) -> int:
    return n * (h - kh + 1) * (w - kw + 1) * o * c * kh * kw


def _parameter(shapes: Sequence[Sequence[int]], value: object) -> object:
    """A parameter that is left to a GPU where an emulated device would take minutes."""
    large = sum(_products(*shape) for shape in shapes) > MOST_EMULATED
    return pytest.param(value, marks=pytest.mark.needs_gpu) if large else value


@dataclass
class Layers:
    """One layer at every scale: what the operators take."""

    shapes: Sequence[tuple[int, ...]]
    precision: str = "fp32"
    activation: str = "relu"
    layouts: tuple[bool, bool, bool] = (False, False, False)  # channels-last input, weight, output's gradient
    with_bias: bool = True
    device: torch.device = field(default_factory=lambda: torch.device("cuda", 0))
    seed: int = 0

    def __post_init__(self) -> None:
        self.dtype, self.tf32, self.tolerance = PRECISIONS[self.precision]
        random = torch.Generator().manual_seed(self.seed)

        def normal(*size: int, channels_last: bool = False, scale: float = 1.0) -> Tensor:
            values = (scale * torch.randn(size, generator=random)).to(self.device, self.dtype)
            return values.to(memory_format=torch.channels_last) if channels_last else values

        of_input, of_weight, of_gradient = self.layouts
        self.inputs = [normal(n, c, h, w, channels_last=of_input) for n, c, h, w, *_ in self.shapes]
        self.weights = [
            normal(o, c, kh, kw, channels_last=of_weight, scale=(c * kh * kw) ** -0.5)
            for _, c, _, _, o, kh, kw in self.shapes
        ]
        self.biases = [normal(o if self.with_bias else 0) for _, _, _, _, o, _, _ in self.shapes]
        self.grad_outputs = [
            normal(n, o, h - kh + 1, w - kw + 1, channels_last=of_gradient)
            for n, _, h, w, o, kh, kw in self.shapes
        ]

    def forward(self) -> list[Tensor]:
        return OPERATORS.multiscale_valid_conv2d(
            self.inputs, self.weights, self.biases, ACTIVATIONS[self.activation], self.tf32
        )

    def backward(self, outputs: Sequence[Tensor], needed: Sequence[int] | None = None) -> list[list[Tensor]]:
        """Of inputs, of weights and of biases those gradients that are needed, or all."""
        number = ACTIVATIONS[self.activation]
        needed = needed or 3 * [(1 << len(self.shapes)) - 1]
        gradients = OPERATORS.multiscale_valid_conv2d_backward(
            self.grad_outputs, outputs, self.inputs, self.weights, number, self.tf32, *needed
        )
        each = iter(gradients)
        by_kind = [list(islice(each, bits.bit_count())) for bits in needed]
        assert len(gradients) == sum(map(len, by_kind)) == sum(bits.bit_count() for bits in needed)
        return by_kind

    def exact_output(self, scale: int) -> Tensor:
        bias = self.biases[scale].double() if self.with_bias else None
        sums = F.conv2d(self.inputs[scale].double(), self.weights[scale].double(), bias)
        return {
            "none": lambda x: x,
            "relu": torch.relu,
            "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
            "tanh": torch.tanh,
        }[self.activation](sums)

    def exact_gradients(self, scale: int, output: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of input, weight and bias, with the activation's derivative at the output as it was rounded."""
        gradient, out = self.grad_outputs[scale].double(), output.double()
        slope = {
            "none": torch.ones_like(out),
            "relu": (out > 0).double(),
            "leaky_relu": 0.2 + 0.8 * (out > 0).double(),
            "tanh": 1 - out * out,
        }[self.activation]
        image, weight = (x[scale].double().requires_grad_() for x in (self.inputs, self.weights))
        sums = F.conv2d(image, weight)
        of_input, of_weight = torch.autograd.grad(sums, (image, weight), gradient * slope)
        return of_input, of_weight, (gradient * slope).sum((0, 2, 3))


def _assert_near(got: Tensor, exact: Tensor, tolerance: float) -> None:
    assert got.shape == exact.shape
    if exact.numel() == 0:
        return
    scale = exact.abs().max().item()
    torch.testing.assert_close(got.double(), exact, rtol=0, atol=tolerance * max(scale, 1e-3))


def _assert_right(layers: Layers) -> None:
    outputs = layers.forward()
    gradients = layers.backward(outputs)
    for scale, output in enumerate(outputs):
        _assert_near(output, layers.exact_output(scale), layers.tolerance)
        exact_gradients = layers.exact_gradients(scale, output)
        for got, exact in zip(gradients, exact_gradients, strict=True):
            _assert_near(got[scale], exact, layers.tolerance)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shape", [_parameter([shape], shape) for shape in SHAPES], ids=str)
def test_every_shape_is_right(cuda: torch.device, shape: tuple[int, ...], precision: str) -> None:
    _assert_right(Layers([shape], precision, device=cuda))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("layouts", list(product((False, True), repeat=3)), ids=str)
def test_every_layout_is_right(cuda: torch.device, layouts: tuple[bool, bool, bool], precision: str) -> None:
    for shape in ((3, 24, 11, 7, 40, 3, 5), (2, 15, 9, 9, 20, 4, 3), (2, 3, 5, 6, 2, 2, 2)):
        layers = Layers([shape], precision, layouts=layouts, device=cuda)
        _assert_right(layers)
        (output,) = layers.forward()
        of_input, of_weight, _ = layers.backward([output])
        assert output.is_contiguous(memory_format=torch.channels_last) == layouts[0]
        assert of_input[0].stride() == layers.inputs[0].stride()
        assert of_weight[0].stride() == layers.weights[0].stride()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("with_bias", [False, True])
def test_every_activation_is_right(
    cuda: torch.device, activation: str, with_bias: bool, precision: str
) -> None:
    shapes = [(4, 5, 9, 8, 6, 3, 3), (3, 32, 10, 9, 70, 3, 3)]
    _assert_right(Layers(shapes, precision, activation, with_bias=with_bias, device=cuda))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("shapes", [_parameter(shapes, shapes) for shapes in SCALES], ids=len)
def test_scales_together_are_right(
    cuda: torch.device, shapes: Sequence[tuple[int, ...]], precision: str
) -> None:
    _assert_right(Layers(shapes, precision, device=cuda))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_only_what_is_needed_is_computed(cuda: torch.device, precision: str) -> None:
    layers = Layers([(3, 16, 8, 8, 24, 3, 3)] * 8, precision, device=cuda)
    outputs = layers.forward()
    everything = layers.backward(outputs)
    needed = [0b11110000, 0b11001100, 0b10101010]  # all ways, a scale each
    some = layers.backward(outputs, needed)
    for all_scales, got, wanted in zip(everything, some, needed, strict=True):
        for whole, part in zip(needed_of(all_scales, wanted), got, strict=True):
            assert torch.equal(part, whole)


@pytest.mark.parametrize("precision", ["fp32", "tf32", "bf16"])
def test_nan_reaches_every_output_of_its_window(cuda: torch.device, precision: str) -> None:
    layers = Layers([(2, 16, 9, 9, 32, 3, 3)], precision, device=cuda)
    layers.inputs[0][1, 5, 4, 4] = float("nan")
    (output,) = layers.forward()
    assert output[1, :, 2:5, 2:5].isnan().all()
    assert output.isnan().sum().item() == 32 * 9


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_where_relu_is_zero_no_gradient_passes(cuda: torch.device, precision: str) -> None:
    layers = Layers([(2, 16, 9, 9, 32, 3, 3)], precision, device=cuda)
    (output,) = layers.forward()
    layers.grad_outputs[0][output == 0] = float("inf")
    for (gradient,) in layers.backward([output]):
        assert gradient.isfinite().all()


def _skip_without_memory(needed: int) -> None:
    free, _ = torch.cuda.mem_get_info()
    if free < needed:
        pytest.skip(f"needs {needed >> 30} GiB of free GPU memory, there are {free >> 30}")


@pytest.mark.needs_gpu
@pytest.mark.slow
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("maps", [1, 16])
def test_more_elements_than_32_bits_count_are_right(
    cuda: torch.device, maps: int, channels_last: bool
) -> None:
    """Of an input of more than 2^31 elements, the last pixels; ones, so that every sum is exact."""
    samples, channels, side = 2050, 16, 256
    _skip_without_memory(8 * samples * (channels + max(maps, 8)) * side**2)
    image = torch.zeros(samples, channels, side, side, dtype=torch.bfloat16, device=cuda)
    image = image.to(memory_format=torch.channels_last) if channels_last else image
    image[-1, :, -2:, -2:] = 1
    weight = torch.ones(maps, channels, 2, 2, dtype=torch.bfloat16, device=cuda)
    bias = weight.new_zeros(0)
    (output,) = OPERATORS.multiscale_valid_conv2d([image], [weight], [bias], 0, False)
    assert (output[-1, :, -1, -1] == 4 * channels).all()
    assert torch.count_nonzero(output).item() == 4 * maps
    gradient = torch.zeros_like(output)
    gradient[-1, :, -1, -1] = 1
    of_input, of_weight = OPERATORS.multiscale_valid_conv2d_backward(
        [gradient], [output], [image], [weight], 0, False, 1, 1, 0
    )
    assert (of_input[-1, :, -2:, -2:] == maps).all()
    assert torch.count_nonzero(of_input).item() == 4 * channels
    assert (of_weight == 1).all()

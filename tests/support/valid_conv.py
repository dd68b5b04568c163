"""Layers of valid convolutions at one scale or several: tensors for them, their results and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.valid_conv import Activation

ACTIVATIONS: tuple[Activation, ...] = ("none", "relu", "leaky_relu", "tanh")
SINGLE = torch.float32


@dataclass(frozen=True)
class Layer:
    """(N, C, H, W) and (O, C, KH, KW)."""

    input: tuple[int, int, int, int]
    maps: int
    kernel: tuple[int, int]

    @property
    def weight(self) -> tuple[int, int, int, int]:
        return (self.maps, self.input[1], *self.kernel)

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.input))}-{self.maps}x{'x'.join(map(str, self.kernel))}"


# Four scales of a small discriminator; all that can be one: batch, channel, map, tap, pixel of the output.
SCALES = (
    Layer((2, 3, 4, 4), 5, (3, 3)),
    Layer((2, 4, 5, 4), 6, (3, 2)),
    Layer((3, 2, 3, 3), 17, (3, 3)),
    Layer((1, 1, 9, 5), 1, (1, 1)),
)
SMALL = Layer((2, 2, 4, 5), 3, (2, 3))
Tensors = tuple[list[Tensor], list[Tensor], list[Tensor | None]]


def tensors_of(
    layers: Sequence[Layer],
    seed: int = 0,
    *,
    dtype: torch.dtype = SINGLE,
    device: torch.device | str = "cpu",
    bias: bool = True,
    channels_last: bool = False,
) -> Tensors:
    """Inputs, weights and biases, leaves all; outputs are of the size of one."""
    generator = torch.Generator().manual_seed(seed)
    form = torch.channels_last if channels_last else torch.contiguous_format

    def draw(shape: Sequence[int], scale: float = 1.0) -> Tensor:
        drawn = scale * torch.randn(tuple(shape), generator=generator, dtype=torch.float64)
        placed = drawn.to(device, dtype)
        return (placed.contiguous(memory_format=form) if placed.dim() == 4 else placed).requires_grad_()

    inputs = [draw(layer.input) for layer in layers]
    weights = [
        draw(layer.weight, (layer.input[1] * layer.kernel[0] * layer.kernel[1]) ** -0.5) for layer in layers
    ]
    return inputs, weights, [draw((layer.maps,)) if bias else None for layer in layers]


def leaves_of(tensors: Tensors) -> list[Tensor]:
    return [x for kind in tensors for x in kind if x is not None and x.requires_grad]


def results(tensors: Tensors, activation: Activation, grad_outputs: Sequence[Tensor]) -> list[Tensor]:
    """Outputs and gradients of the implementation in force, for those incoming gradients."""
    outputs = ek.multiscale_valid_conv2d(*tensors, activation=activation)
    leaves = leaves_of(tensors)
    return [*outputs, *torch.autograd.grad(outputs, leaves, grad_outputs)] if leaves else outputs


def on_cpu(tensors: Tensors) -> Tensors:
    """The same leaves in main memory."""
    inputs, weights, biases = (
        [None if x is None else x.detach().cpu().requires_grad_(x.requires_grad) for x in kind]
        for kind in tensors
    )
    return inputs, weights, biases  # type: ignore[return-value]


def torch_results(
    tensors: Tensors, activation: Activation, grad_outputs: Sequence[Tensor], dtype: torch.dtype
) -> list[Tensor]:
    """The same in plain PyTorch in `dtype`, of what is given as rounded; float64 is exact."""
    inputs, weights, biases = (
        [None if x is None else x.detach().to(dtype).requires_grad_(x.requires_grad) for x in kind]
        for kind in tensors
    )
    with ek.backend("reference"):
        return results((inputs, weights, biases), activation, [g.to(dtype) for g in grad_outputs])  # type: ignore[arg-type]


def incoming(tensors: Tensors, seed: int = 1) -> list[Tensor]:
    """Incoming gradients, in the outputs' shapes and dtypes."""
    generator = torch.Generator().manual_seed(seed)
    gradients = []
    for x, weight in zip(*tensors[:2], strict=True):
        sides = [side - kernel + 1 for side, kernel in zip(x.shape[2:], weight.shape[2:], strict=True)]
        drawn = torch.randn((x.shape[0], weight.shape[0], *sides), generator=generator, dtype=torch.float64)
        gradients.append(drawn.to(x.device, x.dtype))
    return gradients


def assert_as_accurate_as_torch(
    ours: Sequence[Tensor], torchs: Sequence[Tensor], exacts: Sequence[Tensor]
) -> None:
    """At most twice as far from the exact result, or two units in the last place, in the norm over all seeds.

    Not element by element: where the terms of a sum cancel, any order of them loses digits of its own. On an
    H200 our sums of 27 terms were 1.2 to 1.5 units away in CUDA and Triton alike, cuDNN's 0.3 to 0.6.
    """

    def error(values: Sequence[Tensor]) -> float:
        differences = [value.double() - exact for value, exact in zip(values, exacts, strict=True)]
        return float(torch.cat([x.flatten() for x in differences]).norm())

    floor = 2 * torch.finfo(ours[0].dtype).eps * float(torch.cat([x.flatten() for x in exacts]).norm())
    of_ours, of_torch = error(ours), error(torchs)
    assert of_ours <= max(2 * of_torch, floor), f"{of_ours:.3g}; torch {of_torch:.3g}, two units {floor:.3g}"


def assert_close_to_float64(
    tensors: Tensors, activation: Activation, found: Sequence[Tensor], grad_outputs: Sequence[Tensor]
) -> None:
    """Within the dtype's rounding of the largest value: terms of a sum cancel, their rounding does not."""
    exact = torch_results(tensors, activation, grad_outputs, torch.float64)
    assert len(found) == len(exact)
    for value, true in zip(found, exact, strict=True):
        assert value.shape == true.shape
        largest = float(true.detach().abs().max()) if true.numel() else 0.0
        # The terms of a sum that cancels are of size 1, and float32 adds them as they come.
        terms = 0.1 if value.dtype in (torch.float16, torch.bfloat16) else 1.0
        # A half output is rounded; where its derivative is taken from it, so is what a gradient is made of.
        eps = max(torch.finfo(value.dtype).eps, 1e-15 if value.dtype == torch.float64 else 2e-7)
        torch.testing.assert_close(
            value.detach().double(), true.detach(), rtol=4 * eps, atol=8 * eps * (largest + terms)
        )

"""The operators and inputs whose traffic is counted, with the arguments and least bytes of the benchmarks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks import bench_energy, bench_gdl, bench_ladder, bench_pulling_away, bench_valid_conv
from benchmarks.operators import HALF, MODES, Mode, Operator

IMAGES = (64, 3, 256, 256)
LEVELS = 4
BOTH: tuple[Mode, ...] = MODES[:2]


@dataclass(frozen=True)
class TrafficCase:
    """An operator on one kind of input. `is_traffic`: memory binds it, and not its products."""

    name: str
    shape: tuple[int, ...]
    arguments: Callable[[tuple[int, ...], torch.dtype], tuple[Tensor, ...]]
    call: Callable[..., Tensor | Sequence[Tensor]]
    bytes: Callable[[tuple[Tensor, ...], Mode], int]
    modes: tuple[Mode, ...] = BOTH
    dtype: torch.dtype = torch.float32
    is_traffic: bool = True

    @staticmethod
    def of(operator: Operator, shape: tuple[int, ...], modes: tuple[Mode, ...] = BOTH) -> TrafficCase:
        return TrafficCase(operator.name, shape, operator.arguments, operator.fused, operator.bytes, modes)


def run(case: TrafficCase, arguments: tuple[Tensor, ...], mode: Mode) -> None:
    """One call as a user makes it, in the emulated kernels."""
    with torch.set_grad_enabled(mode != "forward"), ebgan_kernels.backend("cuda"):
        result = case.call(*arguments)
        if mode != "forward":
            results = [result] if isinstance(result, Tensor) else [each for each in result if each.grad_fn]
            incoming = 0.5 if mode == HALF else 1.0
            torch.autograd.backward(results, [torch.full_like(each, incoming) for each in results])


def _size(tensors: Sequence[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _mixed_images(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """A reconstruction in the dtype, as autocast makes it, and float32 images."""
    reconstruction, images = bench_energy.ENERGY.arguments(shape, torch.float32)
    return reconstruction.detach().to(dtype).requires_grad_(), images


def _image(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    return (torch.rand(shape).to(dtype).requires_grad_(),)


def _pyramid_bytes(arguments: tuple[Tensor, ...], mode: Mode) -> int:
    """The image read and coarse levels written; backward, their gradients read and the image's written."""
    one_way = _size(arguments) + sum(_size(arguments) // 4**level for level in range(1, LEVELS))
    return one_way if mode == "forward" else 2 * one_way


def _gradient(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    return torch.rand(shape).to(dtype), torch.tensor(0.5)


def _layer(place: str, batch: int, dtype: torch.dtype) -> TrafficCase:
    """A convolution of the video discriminators: everything moved once forward, twice more backward."""
    layer = next(layer for layer in bench_valid_conv.LAYERS if layer.place == place)
    case = bench_valid_conv.Case(layer, batch, dtype)

    def arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
        weight = torch.randn(layer.maps, layer.channels, layer.kernel, layer.kernel)
        weight *= (layer.channels * layer.kernel**2) ** -0.5
        tensors = (torch.randn(shape), weight, torch.randn(layer.maps))
        return tuple(tensor.to(dtype).requires_grad_() for tensor in tensors)

    return TrafficCase(
        f"valid_conv2d, {layer.channels} -> {layer.maps}, {layer.kernel}x{layer.kernel}",
        (batch, layer.channels, layer.side, layer.side),
        arguments,
        lambda input, weight, bias: ebgan_kernels.valid_conv2d(input, weight, bias, activation="relu"),
        lambda _, mode: case.bytes if mode == "forward" else 3 * case.bytes,
        dtype=dtype,
        is_traffic=False,
    )


_energy = TrafficCase.of(bench_energy.ENERGY, IMAGES)
_pulling_away = TrafficCase.of(bench_pulling_away.PULLING_AWAY, bench_pulling_away.SMALL)

CASES = (
    _energy,
    dataclasses.replace(_energy, arguments=_mixed_images, dtype=torch.bfloat16),
    TrafficCase.of(bench_energy.DISCRIMINATOR, IMAGES),
    TrafficCase.of(bench_energy.GENERATOR, IMAGES, MODES),
    TrafficCase.of(bench_energy.HINGE, (64,)),
    TrafficCase(
        "scale_gradients_",
        IMAGES,
        _gradient,
        lambda gradient, scale: torch.ops.ebgan_kernels.scale_gradients_([gradient], scale),
        lambda arguments, _: 2 * _size(arguments[:1]),
        ("forward",),
    ),
    TrafficCase.of(bench_gdl.GRADIENT_DIFFERENCE, IMAGES),
    TrafficCase.of(bench_gdl.GRADIENT_DIFFERENCE_3D, bench_gdl.VOLUMES),
    TrafficCase.of(bench_gdl.PREDICTION, IMAGES),
    TrafficCase.of(bench_gdl.MULTISCALE, IMAGES),
    TrafficCase.of(bench_gdl.MULTISCALE, bench_gdl.FRAMES),
    TrafficCase(
        "average_pyramid",
        IMAGES,
        _image,
        lambda images: ebgan_kernels.average_pyramid(images, LEVELS),
        _pyramid_bytes,
    ),
    *(
        TrafficCase.of(operator, shape)
        for operator in (bench_ladder.COMBINATOR, bench_ladder.COST)
        for shape in (bench_ladder.LARGE, bench_ladder.SMALL)
    ),
    TrafficCase.of(bench_ladder.LAYER, bench_ladder.PARTS),
    dataclasses.replace(_pulling_away, is_traffic=False),
    _layer("8to8 D2 layer 1", 2, torch.float32),
    _layer("4to1 D2 layer 2", 2, torch.bfloat16),
)

"""Launches every kernel on a GPU once per kind of input: what compute-sanitizer watches.

    compute-sanitizer --tool memcheck python scripts/sanitizer_workload.py [cuda|triton]

Sizes around the limits of vector loads, blocks and clusters. Allocations are not cached: each has its bounds.
"""

from __future__ import annotations

import os
import sys

os.environ["PYTORCH_NO_CUDA_MEMORY_CACHING"] = "1"  # read when torch starts CUDA

import torch

import ebgan_kernels
from ebgan_kernels import Backend
from ebgan_kernels.ops.gdl import Power
from ebgan_kernels.reference.energy import Distance
from ebgan_kernels.reference.valid_conv import Activation

ELEMENTS = (1, 7, 784, 1025, 3 * 64 * 64, 3 * 128 * 128 + 1, 3 * 256 * 256)
DISTANCES: tuple[Distance, ...] = ("l2", "l1")
TYPES = ((torch.float32, torch.float32), (torch.bfloat16, torch.float32))
BATCH = 3
# Around vectors of 4 columns, strips, and the tile of the multi-scale loss.
PLANES = ((2, 2), (5, 7), (33, 64), (72, 136))
ACTIVATIONS: tuple[Activation, ...] = ("none", "relu", "leaky_relu", "tanh")
EXPONENTS: tuple[tuple[Power, float], ...] = ((1, 1.0), (2, 2.0), (1, 1.5))
# Around the rows and units of a tile, 8 x 32 and 8 x 64.
BATCHES_OF_UNITS = ((1, 1), (7, 33), (9, 64), (100, 130))
# N, C, H, W, O, KH, KW: outputs of a pixel and of several tiles, channels and maps around vectors and tiles.
LAYERS = ((3, 3, 4, 4, 5, 3, 3), (2, 15, 9, 7, 33, 5, 2), (1, 48, 3, 3, 16, 3, 3), (2, 130, 8, 9, 65, 1, 1))
CODES = ((2, 7), (9, 64), (257, 300), (1025, 1100), (300, 20))


def launch_all(elements: int, distance: Distance, types: tuple[torch.dtype, torch.dtype]) -> None:
    """Run each operator forward and backward, with an incoming gradient of 1 and of another value."""
    reconstructions = [
        torch.randn(BATCH, elements, dtype=types[0], device="cuda", requires_grad=True) for _ in range(2)
    ]
    images = [
        torch.randn(BATCH, elements, dtype=types[1], device="cuda", requires_grad=True) for _ in range(2)
    ]
    pairs = reconstructions[0], images[0], reconstructions[1], images[1]
    for scale in (1.0, 0.5):
        (scale * ebgan_kernels.discriminator_loss(*pairs, margin=3.0, distance=distance).loss).backward()
        (scale * ebgan_kernels.generator_loss(*pairs[:2], distance=distance)).backward()
    energies = [ebgan_kernels.reconstruction_energy(*pairs[:2], distance=distance) for _ in range(2)]
    ebgan_kernels.hinge_margin_loss(energies[0], energies[1], 3.0).backward()
    with torch.no_grad():
        ebgan_kernels.discriminator_loss(*pairs, margin=3.0, distance=distance)


def pull_away(shape: tuple[int, int]) -> None:
    codes = torch.randn(shape, device="cuda", requires_grad=True)
    (0.5 * ebgan_kernels.pulling_away(codes)).backward()
    with torch.no_grad():
        ebgan_kernels.pulling_away(codes)


def predict(size: tuple[int, int], types: tuple[torch.dtype, torch.dtype]) -> None:
    """Run losses of planes, volumes and samples, scales where they divide, each with every exponent."""
    for p, alpha in EXPONENTS:
        for spatial_dims, shape in ((2, (BATCH, 2, *size)), (3, (BATCH, 3, *size))):
            prediction, target = (
                torch.randn(shape, dtype=dtype, device="cuda", requires_grad=True) for dtype in types
            )
            for reduction in ("mean", "none"):
                loss = ebgan_kernels.prediction_loss(
                    prediction,
                    target,
                    p=p,
                    alpha=alpha,
                    spatial_dims=spatial_dims,
                    reduction=reduction,
                )
                (0.5 * loss.sum()).backward()
            with torch.no_grad():
                ebgan_kernels.gradient_difference_loss(
                    prediction, target, alpha=alpha, spatial_dims=spatial_dims
                )
        levels = 4 if all(side % 8 == 0 for side in size) else 1
        predictions = [
            torch.randn(BATCH, *(side >> k for side in size), dtype=types[0], device="cuda").requires_grad_()
            for k in reversed(range(levels))
        ]
        image = torch.randn(BATCH, *size, dtype=types[1], device="cuda", requires_grad=True)
        for scale in (1.0, 0.5):
            loss = ebgan_kernels.multiscale_prediction_loss(predictions, image.detach(), p=p, alpha=alpha)
            (scale * loss).backward()
        sum(level.sum() for level in ebgan_kernels.average_pyramid(image, levels)).backward()


def denoise(size: tuple[int, int], types: tuple[torch.dtype, torch.dtype]) -> None:
    """Run combinator and cost of two networks, with all gradients and with none."""
    rows, units = size
    shapes = ((rows, units), (rows, units), (rows, units), (10, units), (units,), (units,))
    inputs = [
        torch.rand(2, *shape, dtype=types[i % 2], device="cuda", requires_grad=True)
        for i, shape in enumerate(shapes)
    ]
    for scale in (1.0, 0.5):
        (scale * ebgan_kernels.ladder_denoising_cost(*inputs)).sum().backward()
    ebgan_kernels.gaussian_combinator(*inputs[1:4]).sum().backward()
    with torch.no_grad():
        ebgan_kernels.ladder_denoising_cost(*inputs)


def normalise(size: tuple[int, int], types: tuple[torch.dtype, torch.dtype]) -> None:
    """Run a layer of two networks and three parts, with all options and none, all gradients and none."""
    shapes = ((2, 3, *size), (2, 3, *size), (2, size[1]), (2, size[1]))
    inputs = [
        torch.rand(shape, dtype=types[i % 2], device="cuda", requires_grad=i != 1)
        for i, shape in enumerate(shapes)
    ]
    for layer in (
        ebgan_kernels.ladder_layer(*inputs, activation="relu"),
        ebgan_kernels.ladder_layer(inputs[0]),
    ):
        (layer.z.sum() + layer.h.sum() + layer.mean.sum() + layer.std.sum()).backward()
    with torch.no_grad():
        ebgan_kernels.ladder_layer(*inputs[:3])


def convolve(dtype: torch.dtype, channels_last: bool) -> None:
    """Run one layer at several scales, and each alone, with every activation."""
    form = torch.channels_last if channels_last else torch.contiguous_format

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(shape, dtype=dtype, device="cuda").contiguous(memory_format=form).requires_grad_()

    inputs = [draw(n, c, h, w) for n, c, h, w, *_ in LAYERS]
    weights = [draw(o, c, *kernel) for _, c, _, _, o, *kernel in LAYERS]
    biases = [torch.randn(o, dtype=dtype, device="cuda", requires_grad=True) for *_, o, _, _ in LAYERS]
    for activation in ACTIVATIONS:
        outputs = ebgan_kernels.multiscale_valid_conv2d(inputs, weights, biases, activation=activation)
        sum(output.sum() for output in outputs).backward()
        for layer in zip(inputs, weights, biases, strict=True):
            ebgan_kernels.valid_conv2d(*layer, activation=activation).sum().backward()


def main(implementations: list[Backend]) -> None:
    for implementation in implementations:
        with ebgan_kernels.backend(implementation):
            for elements in ELEMENTS:
                for distance in DISTANCES:
                    for types in TYPES:
                        launch_all(elements, distance, types)
            for size in PLANES:
                for types in TYPES:
                    predict(size, types)
            for size in BATCHES_OF_UNITS:
                for types in TYPES:
                    denoise(size, types)
                    if size[0] > 1:
                        normalise(size, types)
            for shape in CODES:
                pull_away(shape)
            for dtype in (torch.float32, torch.bfloat16):
                for channels_last in (False, True):
                    convolve(dtype, channels_last)
        torch.cuda.synchronize()
        print(f"{implementation}: launched", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["cuda", "triton"])  # type: ignore[arg-type]

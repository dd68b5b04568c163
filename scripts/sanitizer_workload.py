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

ELEMENTS = (1, 7, 784, 1025, 3 * 64 * 64, 3 * 128 * 128 + 1, 3 * 256 * 256)
DISTANCES: tuple[Distance, ...] = ("l2", "l1")
TYPES = ((torch.float32, torch.float32), (torch.bfloat16, torch.float32))
BATCH = 3
# Around vectors of 4 columns, strips, and the tile of the multi-scale loss.
PLANES = ((2, 2), (5, 7), (33, 64), (72, 136))
EXPONENTS: tuple[tuple[Power, float], ...] = ((1, 1.0), (2, 2.0), (1, 1.5))
# Around the rows and units of a tile, 8 x 32 and 8 x 64.
LAYERS = ((1, 1), (7, 33), (9, 64), (100, 130))
CODES = ((2, 7), (9, 64), (257, 300), (1025, 1100), (300, 20))


def launch_all(elements: int, distance: Distance, types: tuple[torch.dtype, torch.dtype]) -> None:
    """Each operator forward and backward, with an incoming gradient of 1 and of another value."""
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
    """Losses of planes, volumes and samples, scales where they divide, each with every exponent."""
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
    """Combinator and cost of two networks, with all gradients and with none."""
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
            for size in LAYERS:
                for types in TYPES:
                    denoise(size, types)
            for shape in CODES:
                pull_away(shape)
        torch.cuda.synchronize()
        print(f"{implementation}: launched", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or ["cuda", "triton"])  # type: ignore[arg-type]

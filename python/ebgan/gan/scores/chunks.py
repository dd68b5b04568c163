"""The sets of images that are scored, as chunks (at most 500, C, H, W) in [-1, 1] that follow from a seed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ebgan.data import Batches, ImageFiles, ImageSet
from ebgan.gan.interface import Generator
from ebgan.gan.two_player import sample

CHUNK = 500  # part of what a seed means: each chunk of samples has a seed of its own


def generated(generator: Generator, count: int, seed: int) -> Iterator[Tensor]:
    """`count` samples, on the generator's device; one seed gives the same noise on every device."""
    for number, size in _sizes(count):
        (chunk_seed,) = np.random.SeedSequence((seed, number)).generate_state(1, np.uint64)
        yield sample(generator, size, seed=int(chunk_seed))


def real(images: ImageSet | ImageFiles, count: int, size: int, seed: int) -> Iterator[Tensor]:
    """`count` different images of a set, as training sees them: brought to `size` by `Batches`."""
    batches = Batches(images, CHUNK, size=size, seed=seed)
    for number, length in _sizes(count):
        yield batches.at(number)[:length]


def pixel_noise(mean: Tensor, std: Tensor, count: int, seed: int) -> Iterator[Tensor]:
    """`count` images of independent pixels N(mean, std) (C, H, W), clamped to [-1, 1]."""
    random = torch.Generator().manual_seed(seed)
    for _, size in _sizes(count):
        noise = torch.randn(size, *mean.shape, generator=random)
        yield (mean + std * noise).clamp(-1, 1)


def pixel_statistics(chunks: Iterator[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (C, H, W) of each pixel over all images."""
    count, total, squares = 0, torch.zeros(()).double(), torch.zeros(()).double()
    for chunk in chunks:
        values = chunk.double()
        count, total, squares = count + len(values), total + values.sum(0), squares + values.square().sum(0)
    mean = total / count
    return mean.float(), (squares / count - mean.square()).clamp(min=0).sqrt().float()


def chunks_of(count: int) -> int:
    """The number of chunks that `count` images make."""
    return -(-count // CHUNK)


def _sizes(count: int) -> Iterator[tuple[int, int]]:
    """Number and size of each chunk of `count` images."""
    for number, start in enumerate(range(0, count, CHUNK)):
        yield number, min(CHUNK, count - start)

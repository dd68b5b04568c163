"""Walks through a generator's noise: how one image turns into another."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ebgan.errors import UserError, at_least
from ebgan.gan.interface import Generator
from ebgan.training import evaluating


def walk(generator: Generator, walks: int, *, steps: int, seed: int, closed: bool = False) -> Tensor:
    """Images (`steps`, `walks`, C, H, W) in [-1, 1] along an arc of noise for each of the `walks`.

        z(t) = cos(t) z_0 + sin(t) z_1,   z_0, z_1 ~ N(0, 1),   t from 0 to pi / 2

    Each z(t) is N(0, 1), as in training; on the straight line half-way noise would be too short, and images
    there poorer than both ends. With `closed` t goes once around the circle, and step `steps` would be the
    first again. Batch normalisation uses its running statistics; one seed gives the same noise on every
    device.

    Raises:
        UserError: `walks` or `steps` is out of range.

    Example:
        >>> from ebgan.gan import generator
        >>> walk(generator("digits"), 3, steps=5, seed=0).shape
        torch.Size([5, 3, 1, 8, 8])
    """
    at_least("walks", walks, 1)
    if steps < 2:
        raise UserError(f"steps: got {steps}, a walk has a start and an end: allowed are numbers from 2 up")
    device = next(generator.parameters()).device
    random = torch.Generator().manual_seed(seed)
    starts, ends = (generator.noise(walks, generator=random) for _ in range(2))
    last = 2 * math.pi * (steps - 1) / steps if closed else math.pi / 2
    images = []
    with evaluating(generator):
        for t in torch.linspace(0, last, steps).tolist():
            noise = (math.cos(t) * a + math.sin(t) * b for a, b in zip(starts, ends, strict=True))
            images.append(generator(*(z.to(device) for z in noise)))
    return torch.stack(images)

"""A check against memorising: how near samples lie to training images, beside held-out real ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.pictures import image_grid, save_png

_COLUMNS, _SHOWN = 12, 24  # of the picture, in pairs of rows


class Nearest(NamedTuple):
    """The nearest training image of each of N images: its `distances` (N,) and the `images` (N, C, H, W)."""

    distances: Tensor
    images: Tensor


@dataclass(frozen=True)
class NearestScores:
    """Median distance to the nearest training image, of `count` samples and of held-out images.

    Distances are root mean squares over pixels in [-1, 1]. A `ratio` far below 1 tells of samples that are
    copies: a new image of the same distribution is as far from the training images as a held-out one.
    `copies` is the share of the samples that are nearer than the nearest hundredth of the held-out images.
    """

    count: int
    samples: float
    held_out: float
    ratio: float
    copies: float


def nearest(images: Tensor, training: Iterable[Tensor]) -> Nearest:
    """The nearest of the training images, by the root mean square of the difference of pixels.

    Args:
        images: (N, C, H, W).
        training: chunks (any number, C, H, W); one at a time is in memory, beside its distances to `images`.

    Raises:
        UserError: there is no training image, or one of another shape.
    """
    device = images.device
    best = torch.full((len(images),), torch.inf, device=device)
    found = torch.empty_like(images)
    for chunk in training:
        if chunk.shape[1:] != images.shape[1:]:
            raise UserError(
                f"training: got images of {tuple(chunk.shape[1:])}, expected {tuple(images.shape[1:])}"
            )
        distances, indices = torch.cdist(images.flatten(1), chunk.to(device).flatten(1)).min(1)
        nearer = distances < best
        best[nearer] = distances[nearer]
        found[nearer] = chunk.to(device)[indices[nearer]]
    if best.isinf().any():
        raise UserError("training: holds no images to be near to")
    return Nearest(best / images[0].numel() ** 0.5, found)


def nearest_scores(samples: Tensor, held_out: Tensor) -> NearestScores:
    """The scores of the distances (N,) of samples and (M,) of held-out images to their nearest."""
    middle, real = samples.median().item(), held_out.median().item()
    edge = held_out.double().quantile(0.01)
    return NearestScores(
        count=len(samples),
        samples=middle,
        held_out=real,
        ratio=middle / real if real else float(middle > 0),
        copies=(samples.double() < edge).double().mean().item(),
    )


def save_nearest(samples: Tensor, found: Nearest, path: StrPath) -> None:
    """Write a PNG of the samples (N, C, H, W) that are nearest to a training image, each above that image."""
    order = found.distances.argsort()[:_SHOWN].to(samples.device)
    rows = [
        each[part] for part in order.split(_COLUMNS) for each in (samples, found.images.to(samples.device))
    ]
    names = ("sample", "training")
    save_png(image_grid(torch.cat(rows), columns=min(_COLUMNS, len(order)), row_names=names), path)

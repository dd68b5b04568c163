"""What the style of a written character is: its slant and the width of its strokes, measured from pixels."""

from __future__ import annotations

import torch
from torch import Tensor


def slant(images: Tensor) -> Tensor:
    """How far ink moves to the right for each pixel upwards, of images (N, 1, H, W) in [-1, 1]: (N,).

    It is the regression of their columns on their rows; 0 is upright, 1 leans to the right by 45 degrees.

    Example:
        >>> slant(torch.eye(8).flip(1)[None, None] * 2 - 1)
        tensor([1.])
    """
    ink = (images[:, 0].float() + 1).clamp(min=0)
    rows, columns = (torch.arange(side, dtype=ink.dtype) for side in ink.shape[1:])
    total = ink.sum((1, 2)).clamp_min(1e-6)
    row = (ink * rows[:, None]).sum((1, 2)) / total
    column = (ink * columns).sum((1, 2)) / total
    down = rows[None, :, None] - row[:, None, None]
    right = columns[None, None] - column[:, None, None]
    return -(ink * down * right).sum((1, 2)) / (ink * down**2).sum((1, 2)).clamp_min(1e-6)


def stroke_width(images: Tensor) -> Tensor:
    """The width of the strokes in pixels, of images (N, 1, H, W) in [-1, 1]: (N,).

    It is twice the area of the ink over the length of its edge, as of a long stroke.

    Example:
        >>> bar = torch.full((1, 1, 40, 40), -1.0)
        >>> bar[..., 10:14] = 1
        >>> stroke_width(bar)
        tensor([4.])
    """
    ink = ((images[:, 0].float() + 1) / 2).clamp(0, 1)
    down, right = ink.diff(dim=1)[:, :, :-1], ink.diff(dim=2)[:, :-1]
    edge = torch.sqrt(down**2 + right**2).sum((1, 2)).clamp_min(1e-6)
    return 2 * ink[:, :-1, :-1].sum((1, 2)) / edge


def correlation(first: Tensor, second: Tensor) -> float:
    """Pearson's correlation of two vectors; 0 where one of them does not vary."""
    if not (first.std() and second.std()):
        return 0.0
    return float(torch.corrcoef(torch.stack([first, second]))[0, 1])


def deviations(values: Tensor, classes: Tensor) -> Tensor:
    """The values (N,) less the mean of those of the same class (N,), which has a slant of its own.

    Example:
        >>> deviations(torch.tensor([1.0, 3.0, 7.0]), torch.tensor([0, 0, 5]))
        tensor([-1.,  1.,  0.])
    """
    total = values.new_zeros(int(classes.max()) + 1).index_add(0, classes, values)
    return values - (total / classes.bincount().clamp_min(1))[classes]

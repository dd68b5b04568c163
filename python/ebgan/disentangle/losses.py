"""The terms of the disentangling loss that are not a distance of images (arXiv:1611.03383)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ebgan.disentangle.interface import Codes, ImageShape

REAL, FAKE = 0.95, 0.0  # soft labels of the release
_KL_SCALE = 6.0


def kl_to_normal(codes: Codes) -> Tensor:
    """The divergence KL(q || N(0, I)) of each style: sum of (exp(2 l) + m^2 - 2 l - 1) / 2, (N,).

    m is `codes.mean` and l `codes.log_std`, the logarithm of the standard deviation.

    Example:
        >>> kl_to_normal(Codes(torch.ones(2, 3), torch.zeros(2, 3), torch.zeros(2, 1)))
        tensor([1.5000, 1.5000])
    """
    mean, log_std = codes.mean, codes.log_std
    return 0.5 * (torch.exp(2 * log_std) + mean.square() - 2 * log_std - 1).sum(1)


def kl_factor(weight: float, image: ImageShape) -> float:
    """What the mean divergence is multiplied by: the weight, times 6 over the numbers of an image.

    Example:
        >>> round(kl_factor(0.1, (1, 28, 28)), 6)
        0.000765
    """
    return weight * _KL_SCALE / math.prod(image)


def cross_entropy(logits: Tensor, label: float) -> Tensor:
    """The cross-entropy of logits (N,) with one soft label for all, averaged."""
    return binary_cross_entropy_with_logits(
        logits.float(), torch.full_like(logits, label, dtype=torch.float32)
    )

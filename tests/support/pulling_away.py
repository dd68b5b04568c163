"""Gram matrices of codes, and the pulling-away loss and gradient weights as their definition has them."""

from __future__ import annotations

import torch
from torch import Tensor


def codes(
    rows: int, seed: int = 0, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
) -> Tensor:
    """(rows, 40), of norms between 0.1 and 10; neighbours are correlated."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(rows, 40, generator=generator, dtype=torch.float64)
    values += 0.5 * values.roll(1, 0)
    return (values * torch.logspace(-1, 1, rows)[:, None]).to(device, dtype)


def gram_of(codes: Tensor) -> Tensor:
    """Rounded once."""
    exact = codes.double()
    return (exact @ exact.T).to(codes.dtype)


def exact_loss_and_weights(gram: Tensor) -> tuple[Tensor, Tensor]:
    """In float64; the gradient of the loss is weights @ codes."""
    gram = gram.double()
    rows = len(gram)
    norm = gram.diagonal().sqrt()
    squares = (gram / norm / norm[:, None]).square().fill_diagonal_(0).sum(1)
    pairs = rows * (rows - 1)
    weights = 4 / pairs * gram / norm.square() / norm.square()[:, None]
    weights.diagonal().copy_(-4 / pairs * squares / norm.square())
    return squares.sum() / pairs, weights

"""The pulling-away term in plain PyTorch: its definition, the fallback, the test oracle and the baseline.

The term is differentiable by autograd to any order. Products and sums run in float32 (float64 for float64
codes), also under autocast. Arguments have passed ``ebgan_kernels.checks``.
"""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from ebgan_kernels.reference.dtypes import accumulation, autocast_dtype


def without_autocast(tensor: Tensor) -> AbstractContextManager[object]:
    """Switches autocast off for products, because sums of squared cosines need the digits of float32."""
    device = tensor.device.type
    return (
        contextlib.nullcontext() if autocast_dtype(device) is None else torch.autocast(device, enabled=False)
    )


def flattened(codes: Tensor) -> Tensor:
    """The codes in the accumulation dtype, each flattened: (N, ...) -> (N, d)."""
    return accumulation(codes).reshape(codes.shape[0], codes[:1].numel())


def uses_samples(rows: int, features: int) -> bool:
    """Whether the N x N Gram matrix of the samples is used, which is no larger than the d x d one."""
    return rows <= features


def norms(codes: Tensor) -> Tensor:
    """The divisors that normalise rows, (N, d) -> (N, 1); infinite for a row of zeros, which thus stays 0.

    It is NaN for a row whose squares overflow, which would else become 0, too.
    """
    norm = torch.linalg.vector_norm(codes, dim=1, keepdim=True)
    return norm.nan_to_num(nan=torch.nan, posinf=torch.nan).masked_fill(norm == 0, torch.inf)


def feature_loss(gram: Tensor, nonzero: Tensor, rows: int) -> Tensor:
    """The term from the d x d Gram matrix of ``rows`` normalised rows, of which ``nonzero`` are not zero."""
    return (gram.square().sum() - nonzero) / (rows * (rows - 1))


def pulling_away(codes: Tensor) -> Tensor:
    """The mean squared cosine of the N (N - 1) ordered pairs of different codes, (N, ...) -> 0-d."""
    codes = flattened(codes)
    rows, features = codes.shape
    norm = norms(codes)
    normalised = codes / norm
    with without_autocast(codes):
        if uses_samples(rows, features):
            cosines = normalised @ normalised.mT
            return 2 * torch.triu(cosines, diagonal=1).square().sum() / (rows * (rows - 1))
        return feature_loss(normalised.mT @ normalised, norm.isfinite().sum(), rows)


def pulling_away_weights(gram: Tensor, need_weights: bool) -> tuple[Tensor, Tensor]:
    """The operator of this name: the loss and the W of its gradient W @ codes, from the Gram matrix."""
    rows = len(gram)
    squared_norm = gram.diagonal()
    inverse = (squared_norm.sqrt() / squared_norm).masked_fill(squared_norm == 0, 0)
    cosines = gram * inverse[:, None] * inverse
    cosines.fill_diagonal_(0)
    squares = cosines.square().sum(1)
    share = 1 / (rows * (rows - 1))
    if not need_weights:
        return share * squares.sum(), gram.new_empty(0)
    weights = 4 * share * cosines * inverse[:, None] * inverse
    weights.diagonal().copy_(-4 * share * squares * inverse.square())
    return share * squares.sum(), weights

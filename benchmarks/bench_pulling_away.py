"""Pulling away: `python -m benchmarks.bench_pulling_away [--quick] [--device cpu|cuda] [--output DIR]`.

Codes of N samples and d features that want a gradient: a large batch of large codes, a common one, and one
of more samples than features, which takes the d x d Gram matrix. Products bound the term, not traffic, so
its "streaming" rows are the bare ones of `torch.mm`, forward S S^T and backward G S (N > d: S^T S and S G):
what is above them is the cost of the term itself.
"""

from __future__ import annotations

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks.command import open_session
from benchmarks.operators import Case, Mode, Operator, byte_count, record_cases
from ebgan_kernels.reference import pulling_away as reference

# The README and the pictures show these operators.
HEADLINE: tuple[str, ...] = ()

LARGE, SMALL, MANY_SAMPLES = (256, 8192), (64, 1024), (256, 64)


def _codes(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    return (torch.randn(shape).to(dtype).requires_grad_(),)


def _products(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    codes = arguments[0].float()
    if not reference.uses_samples(*codes.shape):
        codes = codes.mT
    gram = torch.mm(codes, codes.mT)
    return gram if mode == "forward" else (gram, torch.mm(gram, codes))


def _bytes(arguments: tuple[Tensor, ...], mode: Mode) -> int:
    """The least bytes: the codes are read; with a backward, read again, and their gradient written."""
    return (1 if mode == "forward" else 3) * byte_count(arguments)


PULLING_AWAY = Operator(
    "pulling_away", _codes, reference.pulling_away, ebgan_kernels.pulling_away, _products, _bytes
)
CASES = (
    *(Case(PULLING_AWAY, shape) for shape in (LARGE, SMALL, MANY_SAMPLES)),
    Case(PULLING_AWAY, LARGE, torch.bfloat16),
)
QUICK_CASES = (Case(PULLING_AWAY, SMALL), Case(PULLING_AWAY, MANY_SAMPLES))


if __name__ == "__main__":
    record_cases(open_session("pulling_away", __doc__), CASES, QUICK_CASES)

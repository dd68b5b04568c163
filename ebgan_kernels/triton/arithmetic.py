"""Correctly rounded division and square root; Triton's ``/`` and ``sqrt`` of float32 are approximate."""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def divide(numerator, denominator):
    """numerator / denominator, correctly rounded; the denominator may be an integer."""
    denominator = tl.cast(denominator, numerator.dtype)
    if numerator.dtype == tl.float64:
        return numerator / denominator
    else:
        return tl.div_rn(numerator, denominator)


@triton.jit
def square_root(value):
    if value.dtype == tl.float64:
        return tl.sqrt(value)
    else:
        return tl.sqrt_rn(value)

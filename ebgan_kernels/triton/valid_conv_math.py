"""The activations of valid convolutions, as in csrc/math/valid_conv.h, and the product of tiles.

    none        f(x) = x                           f' = 1
    relu        f(x) = x for x > 0, else 0         f' = 1 where y > 0, else 0
    leaky_relu  f(x) = x for x > 0, else 0.2 x     f' = 1 where y > 0, else 0.2
    tanh        f(x) = tanh(x)                     f' = 1 - y^2

with y = f(x), so that a derivative needs only the output.
"""

from __future__ import annotations

import os

import triton
import triton.language as tl

from ebgan_kernels.native.valid_conv import ACTIVATIONS
from ebgan_kernels.reference.valid_conv import NEGATIVE_SLOPE
from ebgan_kernels.triton.arithmetic import divide

_NONE = tl.constexpr(ACTIVATIONS["none"])
_RELU = tl.constexpr(ACTIVATIONS["relu"])
_LEAKY_RELU = tl.constexpr(ACTIVATIONS["leaky_relu"])
_SLOPE = tl.constexpr(NEGATIVE_SLOPE)
_INTERPRETED = tl.constexpr(os.environ.get("TRITON_INTERPRET") == "1")


@triton.jit
def product(a, b, accumulator, PRECISION: tl.constexpr):
    """accumulator + a b. The interpreter's ``tl.dot`` is wrong in bfloat16, so it gets converted factors."""
    if _INTERPRETED:
        a, b = a.to(accumulator.dtype), b.to(accumulator.dtype)
    return tl.dot(a, b, accumulator, input_precision=PRECISION, out_dtype=accumulator.dtype)


@triton.jit
def _tanh(x):
    """tanh(x), which neither the interpreter nor all of Triton's targets have.

    Below 0.55 it is Lambert's continued fraction x / (1 + x^2 / (3 + x^2 / (5 + ... x^2 / 15))), whose
    relative error there is below 1e-18; above it is 1 - 2 / (exp(2 |x|) + 1), which cancels no digits there.
    """
    size = tl.abs(x)
    square = tl.minimum(size, 0.55) * tl.minimum(size, 0.55)
    over = 2027025.0 + square * (270270.0 + square * (6930.0 + square * 36.0))
    under = 2027025.0 + square * (945945.0 + square * (51975.0 + square * (630.0 + square)))
    small = size * divide(over, under)
    large = 1.0 - divide(tl.full((), 2, x.dtype), tl.exp(2.0 * size) + 1.0)
    result = tl.where(size < 0.55, small, large)
    return tl.where(x < 0, -result, tl.where(x == x, result, x))


@triton.jit
def activate(x, ACTIVATION: tl.constexpr):
    """f(x) in the dtype of sums; NaN stays NaN."""
    if ACTIVATION == _NONE:
        return x
    elif ACTIVATION == _RELU:
        return tl.where(x <= 0, 0.0, x)
    elif ACTIVATION == _LEAKY_RELU:
        return tl.where(x > 0, x, x * _SLOPE)
    else:
        return _tanh(x)


@triton.jit
def activation_gradient(gradient, y, ACTIVATION: tl.constexpr):
    """f' times the gradient of y, in its dtype; where relu is 0, even an infinite gradient gives 0."""
    if ACTIVATION == _RELU:
        return tl.where(y <= 0, tl.zeros_like(gradient), gradient)
    else:
        dtype: tl.constexpr = tl.float64 if gradient.dtype == tl.float64 else tl.float32
        wide, y = gradient.to(dtype), y.to(dtype)
        if ACTIVATION == _LEAKY_RELU:
            return tl.where(y > 0, wide, wide * _SLOPE).to(gradient.dtype)
        else:
            return (wide * (1.0 - y * y)).to(gradient.dtype)

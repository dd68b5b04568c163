"""Kernels of the gradient-difference family in Triton, with the formulas of csrc/math/gdl.h.

    element    |P - T|^p                                        prediction P, target T, p = 1 | 2
    pair       ||d_a P| - |d_a T||^alpha,  d_a x = x[.., i + 1, ..] - x[.., i, ..] along a spatial axis a
    gradient   with q = |dP| - |dT| and slope(q) = alpha |q|^(alpha - 1) sign(q):
               d pair / d(dP) = slope(q) sign(dP),  d pair / d(dT) = -slope(q) sign(dT)

For N elements of b bytes:

    stencil            reads 2 N b, writes N b for each gradient wanted and one number a tile
    losses_of_sums     reads one number a tile
    averages           reads N b; writes N / 3 numbers of the dtype of sums
    spread             reads N b / 4, writes N numbers

A program of ``stencil`` takes a tile of neighbouring rows. It loads every neighbour again, from the L1 cache
except at the tile's rim, and writes complete gradients (gather form), without atomic additions and without
intermediates.
"""

from __future__ import annotations

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor


class Images(NamedTuple):
    """A prediction, its target, and gradients where they are wanted."""

    prediction: Tensor
    target: Tensor
    grad_prediction: Tensor | None
    grad_target: Tensor | None


class Levels(NamedTuple):
    """The averages, finest first; a level that is not wanted is None."""

    first: Tensor
    second: Tensor | None
    third: Tensor | None
    fourth: Tensor | None


MOST_LEVELS = len(Levels._fields)


@triton.jit
def _sign(value):
    return (value > 0).to(value.dtype) - (value < 0).to(value.dtype)


@triton.jit
def _power(base, exponent):
    """base^exponent of a base >= 0, in float64, because the exponent multiplies the logarithm's error."""
    zero = base == 0
    logarithm = tl.log2(tl.where(zero, 1.0, base).to(tl.float64))
    return tl.where(zero, 0.0, tl.exp2(exponent * logarithm).to(base.dtype))


@triton.jit
def _power_term(value, exponent, EXPONENT: tl.constexpr):
    """|value|^exponent. EXPONENT is 1 or 2, which have code of their own, or 0 for any other exponent."""
    if EXPONENT == 1:
        return tl.abs(value)
    elif EXPONENT == 2:
        return value * value
    else:
        return _power(tl.abs(value), exponent)


@triton.jit
def _power_slope(value, exponent, EXPONENT: tl.constexpr):
    """The derivative of |value|^exponent; it is 0 at zero, and for exponent 1 at NaN, as in PyTorch."""
    if EXPONENT == 1:
        return _sign(value)
    elif EXPONENT == 2:
        return value + value
    else:
        scale = tl.full((), exponent, value.dtype)
        return scale * _power(tl.abs(value), exponent - 1) * _sign(value)


@triton.jit
def _load(images, offsets, mask):
    """Loads prediction and target in the dtype of sums; they are 0 where masked."""
    dtype: tl.constexpr = tl.float64 if images.target.dtype.element_ty == tl.float64 else tl.float32
    prediction = tl.load(images.prediction + offsets, mask, 0.0).to(dtype)
    return prediction, tl.load(images.target + offsets, mask, 0.0).to(dtype)


@triton.jit
def _pair(prediction, next_prediction, target, next_target, mask, share, alpha, EXPONENT: tl.constexpr):
    """A pair's term and its slopes by the second element's prediction and target; 0 without a pair."""
    prediction_step, target_step = next_prediction - prediction, next_target - target
    difference = tl.abs(prediction_step) - tl.abs(target_step)
    term = tl.where(mask, share * _power_term(difference, alpha, EXPONENT), 0.0)
    slope = share * _power_slope(difference, alpha, EXPONENT)
    of_prediction = tl.where(mask, slope * _sign(prediction_step), 0.0)
    return term, of_prediction, tl.where(mask, -slope * _sign(target_step), 0.0)


@triton.jit
def _add_axis(
    state, images, offsets, here, step, has_before, has_after, share, alpha, EXPONENT: tl.constexpr
):
    """Adds the terms of pairs with the next elements, and the gradients of the pairs on either side."""
    total, grad_prediction, grad_target = state
    prediction, target = here
    share = tl.full((), share, prediction.dtype)
    next_prediction, next_target = _load(images, offsets + step, has_after)
    term, to_prediction, to_target = _pair(
        prediction, next_prediction, target, next_target, has_after, share, alpha, EXPONENT
    )
    # Without a gradient to store, the compiler drops what follows.
    last_prediction, last_target = _load(images, offsets - step, has_before)
    _, from_prediction, from_target = _pair(
        last_prediction, prediction, last_target, target, has_before, share, alpha, EXPONENT
    )
    grad_prediction += from_prediction - to_prediction
    grad_target += from_target - to_target
    return total + term, grad_prediction, grad_target


@triton.jit
def _store(gradient, offsets, mask, value):
    if gradient is not None:
        tl.store(gradient + offsets, value.to(gradient.dtype.element_ty), mask)


@triton.jit
def stencil(
    images,
    sums,
    upstream,
    upstream_stride,
    lines,
    length,
    rows,
    width,
    line_programs,
    column_programs,
    element_share: tl.float64,
    slice_share: tl.float64,
    row_share: tl.float64,
    column_share: tl.float64,
    alpha: tl.float64,
    FILLED: tl.constexpr,
    AXES: tl.constexpr,
    P: tl.constexpr,
    EXPONENT: tl.constexpr,
    ITERATIONS: tl.constexpr,
    LINES: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Sums of terms, and gradients, of tiles of (samples, lines, width); a line is a row of a slice.

    P is None where elements have no term, EXPONENT where pairs have none. ``sums`` is None where they are not
    wanted; ``upstream`` None stands for 1. With FILLED the buffers hold the gradients for an incoming
    gradient of 1.
    """
    if FILLED and tl.load(upstream) == 1:
        return
    program = tl.program_id(0).to(tl.int64)
    column = program % column_programs * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    sample = program // column_programs // line_programs
    start = program // column_programs % line_programs * (ITERATIONS * LINES)
    dtype: tl.constexpr = tl.float64 if images.target.dtype.element_ty == tl.float64 else tl.float32
    whole = tl.zeros((LINES, COLUMNS), dtype)
    for iteration in range(ITERATIONS):
        line = start + iteration * LINES + tl.arange(0, LINES)[:, None]
        offsets = (sample * lines + line) * width + column
        mask = (line < lines) & (column < width)
        here = _load(images, offsets, mask)
        state = tl.zeros_like(whole), tl.zeros_like(whole), tl.zeros_like(whole)
        if P is not None:
            residual = here[0] - here[1]
            share = tl.full((), element_share, dtype)
            slope = share * _power_slope(residual, P, P)
            state = share * _power_term(residual, P, P), slope, -slope
        if EXPONENT is not None:
            before, after = mask & (column > 0), mask & (column + 1 < width)
            state = _add_axis(state, images, offsets, here, 1, before, after, column_share, alpha, EXPONENT)
            slice_ = line % length
            if AXES == 3:
                slice_ = line // rows % length
                row = line % rows
                before, after = mask & (row > 0), mask & (row + 1 < rows)
                state = _add_axis(
                    state, images, offsets, here, width, before, after, row_share, alpha, EXPONENT
                )
            before, after = mask & (slice_ > 0), mask & (slice_ + 1 < length)
            step = tl.cast(rows, tl.int64) * width if AXES == 3 else width
            state = _add_axis(state, images, offsets, here, step, before, after, slice_share, alpha, EXPONENT)
        whole += state[0]
        weight = tl.full((), 1, dtype) if upstream is None else tl.load(upstream + sample * upstream_stride)
        _store(images.grad_prediction, offsets, mask, weight * state[1])
        _store(images.grad_target, offsets, mask, weight * state[2])
    if sums is not None:
        tl.store(sums + program, tl.sum(tl.sum(whole, 1), 0))


@triton.jit
def losses_of_sums(losses, sums, parts, ITERATIONS: tl.constexpr, BLOCK: tl.constexpr):
    """Adds a sample's sums, in one program. A tile has one sum, so adding in float64 costs nothing."""
    sample = tl.program_id(0).to(tl.int64)
    total = tl.zeros((BLOCK,), tl.float64)
    for iteration in range(ITERATIONS):
        part = iteration * BLOCK + tl.arange(0, BLOCK)
        total += tl.load(sums + sample * parts + part, part < parts, 0.0).to(tl.float64)
    tl.store(losses + sample, tl.sum(total, 0).to(losses.dtype.element_ty))


@triton.jit
def _store_averages(level, values, top, left, lines, width):
    """Averages blocks of 2 x 2 values, and stores the averages at (top, left) of a level (lines, width)."""
    below: tl.constexpr = values.shape[0] // 2
    beside: tl.constexpr = values.shape[1] // 2
    values = tl.sum(tl.sum(tl.reshape(values, (below, 2, beside, 2)), 3), 1) * 0.25
    line, column = top + tl.arange(0, below)[:, None], left + tl.arange(0, beside)[None, :]
    tl.store(level + line * width + column, values, (line < lines) & (column < width))
    return values


@triton.jit
def averages(
    x,
    levels,
    lines,
    width,
    column_programs,
    COUNT: tl.constexpr,
    LINES: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """COUNT levels of successive 2 x 2 averages of x (lines, width), where lines are the rows of all planes.

    No block reaches from one plane into the next, since the height is divisible by 2^COUNT.
    """
    program = tl.program_id(0).to(tl.int64)
    top, left = program // column_programs * LINES, program % column_programs * COLUMNS
    line, column = top + tl.arange(0, LINES)[:, None], left + tl.arange(0, COLUMNS)[None, :]
    dtype: tl.constexpr = levels[0].dtype.element_ty
    values = tl.load(x + line * width + column, (line < lines) & (column < width), 0.0).to(dtype)
    for k in tl.static_range(COUNT):
        top, left, lines, width = top >> 1, left >> 1, lines >> 1, width >> 1
        values = _store_averages(levels[k], values, top, left, lines, width)


@triton.jit
def spread(
    result, gradient, coarser, lines, width, column_programs, LINES: tl.constexpr, COLUMNS: tl.constexpr
):
    """The gradient of a level: a quarter of the gradient of each block's average.

    An average's gradient is its own, plus the one from coarser levels. Both sources are (lines / 2, width /
    2); ``coarser`` is None where the average is of the coarsest level.
    """
    program = tl.program_id(0).to(tl.int64)
    line = program // column_programs * LINES + tl.arange(0, LINES)[:, None]
    column = program % column_programs * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    mask = (line < lines) & (column < width)
    offsets = (line >> 1) * (width >> 1) + (column >> 1)
    value = tl.load(gradient + offsets, mask, 0.0)
    value = value.to(tl.float64 if value.dtype == tl.float64 else tl.float32)
    if coarser is not None:
        value += tl.load(coarser + offsets, mask, 0.0)
    tl.store(result + line * width + column, (0.25 * value).to(result.dtype.element_ty), mask)

"""Kernels of the step between two dense layers in Triton, with the formulas of csrc/math/ladder_layer.h.

    y = (x - mean) / std     z = y + noise     h = activation(gamma (z + beta))

For N elements of x, of b bytes:

    forward     reads x and noise (2 N b), writes z and h (2 N b)
    backward    reads x, noise and the gradients of z and h (4 N b), writes the gradient of x (N b)

A program reads all samples of some units several times, from the caches after the first. Rows are added in
blocks, and blocks in float64, in an order that the block sizes fix, so the same input gives the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from ebgan_kernels.reference.ladder import LAYER_EPSILON
from ebgan_kernels.triton.arithmetic import divide, square_root

EPSILON = tl.constexpr(LAYER_EPSILON)


class Parts(NamedTuple):
    """A tensor (networks, parts, rows, units) whose units lie side by side.

    ``data`` is None where there is no such tensor, or where it is not wanted.
    """

    data: Tensor | None
    network_stride: int
    part_stride: int
    row_stride: int


class LayerExtent(NamedTuple):
    """The extent of x, and the number of blocks into which its units are cut."""

    parts: int
    rows: int
    units: int
    unit_blocks: int


@triton.jit
def _load(tensor, network, part, row, unit, mask, other, dtype: tl.constexpr):
    """Loads values in the dtype of sums; they are ``other`` where there is no tensor."""
    if tensor.data is None:
        return tl.full(mask.shape, other, dtype)
    else:
        offsets = network * tensor.network_stride + part * tensor.part_stride + row * tensor.row_stride + unit
        return tl.load(tensor.data + offsets, mask, other).to(dtype)


@triton.jit
def _store(tensor, network, part, row, unit, mask, value):
    if tensor.data is not None:
        offsets = network * tensor.network_stride + part * tensor.part_stride + row * tensor.row_stride + unit
        tl.store(tensor.data + offsets, value.to(tensor.data.dtype.element_ty), mask)


@triton.jit
def _gradient(
    grad_z, grad_h, x, noise, network, part, row, unit, mask, center, rstd, beta, gamma, RELU: tl.constexpr
):
    """y, the gradient of z, and the rows' parts of the gradients of beta and gamma, 0 where masked."""
    dtype: tl.constexpr = rstd.dtype
    y = (_load(x, network, part, row, unit, mask, 0.0, dtype) - center) * rstd
    shifted = y + _load(noise, network, part, row, unit, mask, 0.0, dtype) + beta
    d = _load(grad_h, network, part, row, unit, mask, 0.0, dtype)
    if RELU:
        d = tl.where(gamma * shifted <= 0, 0.0, d)
    of_beta = tl.where(mask, d * gamma, 0.0)
    g = _load(grad_z, network, part, row, unit, mask, 0.0, dtype) + of_beta
    return y, g, of_beta, tl.where(mask, d * shifted, 0.0)


@triton.jit
def forward(
    x,
    noise,
    beta,
    gamma,
    z,
    h,
    mean,
    std,
    extent,
    RELU: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    INNER: tl.constexpr,
    OUTER: tl.constexpr,
):
    dtype: tl.constexpr = tl.float64 if x.data.dtype.element_ty == tl.float64 else tl.float32
    program = tl.program_id(0).to(tl.int64)
    unit = program % extent.unit_blocks * UNITS + tl.arange(0, UNITS)[None, :]
    part = program // extent.unit_blocks % extent.parts
    network = program // (extent.unit_blocks * extent.parts)
    of_units = unit < extent.units
    rows = tl.arange(0, ROWS)[:, None].to(tl.int64)
    total = tl.zeros((UNITS,), tl.float64)
    for outer in range(OUTER):
        some = tl.zeros((ROWS, UNITS), dtype)
        for inner in range(INNER):
            row = (outer * INNER + inner) * ROWS + rows
            some += _load(x, network, part, row, unit, (row < extent.rows) & of_units, 0.0, dtype)
        total += tl.sum(some, 0).to(tl.float64)
    center = (total / extent.rows).to(dtype)[None, :]
    total = tl.zeros((UNITS,), tl.float64)
    for outer in range(OUTER):
        some = tl.zeros((ROWS, UNITS), dtype)
        for inner in range(INNER):
            row = (outer * INNER + inner) * ROWS + rows
            mask = (row < extent.rows) & of_units
            centred = tl.where(mask, _load(x, network, part, row, unit, mask, 0.0, dtype) - center, 0.0)
            some += centred * centred
        total += tl.sum(some, 0).to(tl.float64)
    deviation = square_root(total / extent.rows + EPSILON).to(dtype)[None, :]
    _store(mean, network, part, 0, unit, of_units, center)
    _store(std, network, part, 0, unit, of_units, deviation)
    rstd = divide(tl.full((), 1, dtype), deviation)
    shift = _load(beta, network, part, 0, unit, of_units, 0.0, dtype)
    scale = _load(gamma, network, part, 0, unit, of_units, 1.0, dtype)
    for iteration in range(OUTER * INNER):
        row = iteration * ROWS + rows
        mask = (row < extent.rows) & of_units
        y = (_load(x, network, part, row, unit, mask, 0.0, dtype) - center) * rstd
        noisy = y + _load(noise, network, part, row, unit, mask, 0.0, dtype)
        _store(z, network, part, row, unit, mask, noisy)
        if h.data is not None:
            pre = scale * (noisy + shift)
            if RELU:
                pre = tl.where(pre < 0, 0.0, pre)
            _store(h, network, part, row, unit, mask, pre)


@triton.jit
def backward(
    grad_z,
    grad_h,
    grad_mean,
    grad_std,
    x,
    noise,
    beta,
    gamma,
    mean,
    std,
    grad_x,
    grad_beta,
    grad_gamma,
    extent,
    RELU: tl.constexpr,
    TOGETHER: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    INNER: tl.constexpr,
    OUTER: tl.constexpr,
):
    """The gradients of a layer. A program takes TOGETHER parts in turn: all, or 1 without sums over parts."""
    dtype: tl.constexpr = tl.float64 if x.data.dtype.element_ty == tl.float64 else tl.float32
    program = tl.program_id(0).to(tl.int64)
    unit = program % extent.unit_blocks * UNITS + tl.arange(0, UNITS)[None, :]
    first_part = program // extent.unit_blocks * TOGETHER
    network = first_part // extent.parts
    of_units = unit < extent.units
    rows = tl.arange(0, ROWS)[:, None].to(tl.int64)
    shift = _load(beta, network, 0, 0, unit, of_units, 0.0, dtype)
    scale = _load(gamma, network, 0, 0, unit, of_units, 1.0, dtype)
    total_beta, total_gamma = tl.zeros((UNITS,), tl.float64), tl.zeros((UNITS,), tl.float64)
    for next_part in range(TOGETHER):
        part = first_part % extent.parts + next_part
        center = _load(mean, network, part, 0, unit, of_units, 0.0, dtype)
        deviation = _load(std, network, part, 0, unit, of_units, 1.0, dtype)
        rstd = divide(tl.full((), 1, dtype), deviation)
        total_g, total_gy = tl.zeros((UNITS,), tl.float64), tl.zeros((UNITS,), tl.float64)
        for outer in range(OUTER):
            sum_g, sum_gy = tl.zeros((ROWS, UNITS), dtype), tl.zeros((ROWS, UNITS), dtype)
            sum_beta, sum_gamma = tl.zeros((ROWS, UNITS), dtype), tl.zeros((ROWS, UNITS), dtype)
            for inner in range(INNER):
                row = (outer * INNER + inner) * ROWS + rows
                mask = (row < extent.rows) & of_units
                y, g, of_beta, of_gamma = _gradient(
                    grad_z, grad_h, x, noise, network, part, row, unit, mask, center, rstd, shift, scale, RELU
                )
                sum_g += g
                sum_gy += tl.where(mask, g * y, 0.0)
                sum_beta += of_beta
                sum_gamma += of_gamma
            total_g += tl.sum(sum_g, 0).to(tl.float64)
            total_gy += tl.sum(sum_gy, 0).to(tl.float64)
            total_beta += tl.sum(sum_beta, 0).to(tl.float64)
            total_gamma += tl.sum(sum_gamma, 0).to(tl.float64)
        if grad_x.data is not None:
            share = divide(deviation, extent.rows)
            of_mean = _load(grad_mean, network, part, 0, unit, of_units, 0.0, dtype)
            of_std = _load(grad_std, network, part, 0, unit, of_units, 0.0, dtype)
            mean_g = (total_g / extent.rows).to(dtype)[None, :] - share * of_mean
            mean_gy = (total_gy / extent.rows).to(dtype)[None, :] - share * of_std
            for iteration in range(OUTER * INNER):
                row = iteration * ROWS + rows
                mask = (row < extent.rows) & of_units
                y, g, _, _ = _gradient(
                    grad_z, grad_h, x, noise, network, part, row, unit, mask, center, rstd, shift, scale, RELU
                )
                _store(grad_x, network, part, row, unit, mask, (g - mean_g - y * mean_gy) * rstd)
    _store(grad_beta, network, 0, 0, unit, of_units, total_beta.to(dtype)[None, :])
    _store(grad_gamma, network, 0, 0, unit, of_units, total_gamma.to(dtype)[None, :])

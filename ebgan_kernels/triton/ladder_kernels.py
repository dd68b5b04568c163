"""Kernels of the ladder family in Triton, with the formulas of csrc/math/ladder.h.

    mu = a1 sigmoid(a2 u + a3) + a4 u + a5      v = a6 sigmoid(a7 u + a8) + a9 u + a10
    z_hat = (z - mu) v + mu                     y = (z_hat - mean) / std            r = z_clean - y

For N elements of z, of b bytes:

    combine             reads 2 N b, writes N b
    combine_backward    reads 3 N b, writes N b for each gradient of z and u wanted
    denoising_cost      reads 3 N b, writes N b for each gradient of z_clean, z and u wanted
    total_sums          reads 12 numbers for each unit and block of rows
    total_squares       reads one number for each block

A program takes a block of rows of some units of one network, ROWS rows at a time. It stores the sums over its
rows, which are then added in float64 in an order that the block sizes fix, so the same input gives the same
bits.
"""

from __future__ import annotations

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from ebgan_kernels.triton.arithmetic import divide

SUMS = tl.constexpr(12)  # the number of sums over rows, for the gradients of a1 to a10, of mean and of std


class Rows(NamedTuple):
    """A tensor (networks, rows, units) whose units lie side by side; without ``data`` it is not wanted."""

    data: Tensor | None
    network_stride: int
    row_stride: int


class Extent(NamedTuple):
    """The extent of z, and the numbers of blocks into which it is cut."""

    rows: int
    units: int
    row_blocks: int
    unit_blocks: int


@triton.jit
def _exponential(x):
    """exp(x) of x <= 0; the hardware's exp rounds x log2(e) in float32, an error that grows with x."""
    if x.dtype == tl.float64:
        return tl.exp(x)
    else:
        n = tl.floor(tl.maximum(x, -126.0, tl.PropagateNan.ALL) * 1.44269504 + 0.5)
        rest = (x - n * 0.693145751953125) - n * 1.42860682031e-6
        return tl.exp2(n) * tl.exp(rest)


@triton.jit
def _sigmoid(x):
    """The sigmoid and its derivative; nothing overflows, and no digits cancel."""
    e = _exponential(-tl.abs(x))
    inverse = divide(tl.full((), 1, x.dtype), 1 + e)
    small = e * inverse
    return tl.where(x < 0, small, inverse), small * inverse


@triton.jit
def _row(rows, network, row, unit, mask, other, dtype: tl.constexpr):
    """Loads rows in the dtype of sums."""
    offsets = network * rows.network_stride + row * rows.row_stride + unit
    return tl.load(rows.data + offsets, mask, other).to(dtype)


@triton.jit
def _store(rows, network, row, unit, mask, value):
    if rows.data is not None:
        offsets = network * rows.network_stride + row * rows.row_stride + unit
        tl.store(rows.data + offsets, value.to(rows.data.dtype.element_ty), mask)


@triton.jit
def _parameters(rows, network, unit, mask, dtype: tl.constexpr):
    """Loads a1 to a10 of the units."""
    return (
        _row(rows, network, 0, unit, mask, 0.0, dtype),
        _row(rows, network, 1, unit, mask, 0.0, dtype),
        _row(rows, network, 2, unit, mask, 0.0, dtype),
        _row(rows, network, 3, unit, mask, 0.0, dtype),
        _row(rows, network, 4, unit, mask, 0.0, dtype),
        _row(rows, network, 5, unit, mask, 0.0, dtype),
        _row(rows, network, 6, unit, mask, 0.0, dtype),
        _row(rows, network, 7, unit, mask, 0.0, dtype),
        _row(rows, network, 8, unit, mask, 0.0, dtype),
        _row(rows, network, 9, unit, mask, 0.0, dtype),
    )


@triton.jit
def _mixture(a, u):
    """mu and v, with the value and the derivative of the sigmoid in each."""
    value_mu, slope_mu = _sigmoid(a[1] * u + a[2])
    value_v, slope_v = _sigmoid(a[6] * u + a[7])
    mu = a[0] * value_mu + (a[3] * u + a[4])
    v = a[5] * value_v + (a[8] * u + a[9])
    return mu, v, value_mu, slope_mu, value_v, slope_v


@triton.jit
def _gradients(a, mixture, z, u, g, mask):
    """The gradients of z and u for g = d loss / d z_hat, and the row's part of those of a1 to a10.

    A masked row adds 0, even where a unit's parameters are infinite.
    """
    mu, v, value_mu, slope_mu, value_v, slope_v = mixture
    grad_z = g * v
    grad_mu = tl.where(mask, g - grad_z, 0.0)
    grad_v = tl.where(mask, g * (z - mu), 0.0)
    inside_mu = tl.where(mask, grad_mu * (a[0] * slope_mu), 0.0)
    inside_v = tl.where(mask, grad_v * (a[5] * slope_v), 0.0)
    grad_u = (inside_mu * a[1] + grad_mu * a[3]) + (inside_v * a[6] + grad_v * a[8])
    of_mu = (grad_mu * value_mu, inside_mu * u, inside_mu, grad_mu * u, grad_mu)
    return grad_z, grad_u, of_mu, (grad_v * value_v, inside_v * u, inside_v, grad_v * u, grad_v)


@triton.jit
def _add(sums, terms):
    return (
        sums[0] + terms[0],
        sums[1] + terms[1],
        sums[2] + terms[2],
        sums[3] + terms[3],
        sums[4] + terms[4],
    )


@triton.jit
def _store_sums(sums, first, values, unit, units, mask):
    """Stores one row of units for each sum, from row ``first`` of the block's sums on."""
    for k in tl.static_range(len(values)):
        row = (first + k) * units
        tl.store(sums + row + unit, tl.sum(values[k], 0)[None, :], mask)


@triton.jit
def _place(extent, ROWS: tl.constexpr, UNITS: tl.constexpr, ITERATIONS: tl.constexpr):
    """The place of the program: network, block of rows, first rows (ROWS, 1) and units (1, UNITS)."""
    program = tl.program_id(0).to(tl.int64)
    unit = program % extent.unit_blocks * UNITS + tl.arange(0, UNITS)[None, :]
    block = program // extent.unit_blocks
    row = block % extent.row_blocks * (ROWS * ITERATIONS) + tl.arange(0, ROWS)[:, None]
    return block // extent.row_blocks, block, row, unit


@triton.jit
def combine(
    z, u, parameters, z_hat, extent, ROWS: tl.constexpr, UNITS: tl.constexpr, ITERATIONS: tl.constexpr
):
    dtype: tl.constexpr = tl.float64 if z.data.dtype.element_ty == tl.float64 else tl.float32
    network, _, first, unit = _place(extent, ROWS, UNITS, ITERATIONS)
    a = _parameters(parameters, network, unit, unit < extent.units, dtype)
    for iteration in range(ITERATIONS):
        row = first + iteration * ROWS
        mask = (row < extent.rows) & (unit < extent.units)
        mixture = _mixture(a, _row(u, network, row, unit, mask, 0.0, dtype))
        noisy = _row(z, network, row, unit, mask, 0.0, dtype)
        _store(z_hat, network, row, unit, mask, (noisy - mixture[0]) * mixture[1] + mixture[0])


@triton.jit
def combine_backward(
    incoming,
    z,
    u,
    parameters,
    grad_z,
    grad_u,
    sums,
    extent,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    ITERATIONS: tl.constexpr,
):
    """The combinator's gradients; ``sums`` is None where those of the parameters are not wanted."""
    dtype: tl.constexpr = tl.float64 if z.data.dtype.element_ty == tl.float64 else tl.float32
    network, block, first, unit = _place(extent, ROWS, UNITS, ITERATIONS)
    a = _parameters(parameters, network, unit, unit < extent.units, dtype)
    zero = tl.zeros((ROWS, UNITS), dtype)
    sums_mu = (zero, zero, zero, zero, zero)
    sums_v = (zero, zero, zero, zero, zero)
    for iteration in range(ITERATIONS):
        row = first + iteration * ROWS
        mask = (row < extent.rows) & (unit < extent.units)
        above = _row(u, network, row, unit, mask, 1.0, dtype)
        noisy = _row(z, network, row, unit, mask, 0.0, dtype)
        g = _row(incoming, network, row, unit, mask, 0.0, dtype)
        to_z, to_u, of_mu, of_v = _gradients(a, _mixture(a, above), noisy, above, g, mask)
        _store(grad_z, network, row, unit, mask, to_z)
        _store(grad_u, network, row, unit, mask, to_u)
        sums_mu, sums_v = _add(sums_mu, of_mu), _add(sums_v, of_v)
    if sums is not None:
        of_block = sums + block * (SUMS * extent.units)
        _store_sums(of_block, 0, sums_mu, unit, extent.units, unit < extent.units)
        _store_sums(of_block, 5, sums_v, unit, extent.units, unit < extent.units)


@triton.jit
def denoising_cost(
    z_clean,
    z,
    u,
    parameters,
    mean,
    std,
    grad_z_clean,
    grad_z,
    grad_u,
    sums,
    squares,
    scale,
    scale_stride,
    extent,
    FILLED: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    ITERATIONS: tl.constexpr,
):
    """The sums of r^2 of a block, its gradients, and the sums of gradients over its rows.

    ``sums`` is None where no gradient is wanted, ``squares`` where only gradients are; ``scale`` None stands
    for an incoming gradient of 1.
    """
    dtype: tl.constexpr = tl.float64 if z.data.dtype.element_ty == tl.float64 else tl.float32
    network, block, first, unit = _place(extent, ROWS, UNITS, ITERATIONS)
    incoming = tl.full((), 1, dtype)
    if scale is not None:
        incoming = tl.load(scale + network * scale_stride)
    if FILLED and incoming == 1:
        return
    share = 2 * divide(incoming, tl.cast(extent.rows, dtype) * tl.cast(extent.units, dtype))
    of_units = unit < extent.units
    a = _parameters(parameters, network, unit, of_units, dtype)
    center = _row(mean, network, 0, unit, of_units, 0.0, dtype)
    deviation = _row(std, network, 0, unit, of_units, 1.0, dtype)
    inverse = divide(tl.full((), 1, dtype), deviation)
    zero = tl.zeros((ROWS, UNITS), dtype)
    sums_mu = (zero, zero, zero, zero, zero)
    sums_v = (zero, zero, zero, zero, zero)
    sum_mean, sum_std, total = zero, zero, zero
    for iteration in range(ITERATIONS):
        row = first + iteration * ROWS
        mask = (row < extent.rows) & of_units
        above = _row(u, network, row, unit, mask, 1.0, dtype)
        noisy = _row(z, network, row, unit, mask, 0.0, dtype)
        clean = _row(z_clean, network, row, unit, mask, 0.0, dtype)
        mixture = _mixture(a, above)
        y = ((noisy - mixture[0]) * mixture[1] + mixture[0] - center) * inverse
        r = tl.where(mask, clean - y, 0.0)
        total += r * r
        if sums is not None:
            g = -share * r * inverse
            to_z, to_u, of_mu, of_v = _gradients(a, mixture, noisy, above, g, mask)
            _store(grad_z_clean, network, row, unit, mask, share * r)
            _store(grad_z, network, row, unit, mask, to_z)
            _store(grad_u, network, row, unit, mask, to_u)
            sums_mu, sums_v = _add(sums_mu, of_mu), _add(sums_v, of_v)
            sum_mean -= g
            sum_std -= tl.where(mask, g * y, 0.0)
    if squares is not None:
        tl.store(squares + tl.program_id(0), tl.sum(tl.sum(total, 1), 0))
    if sums is not None:
        of_block = sums + block * (SUMS * extent.units)
        _store_sums(of_block, 0, sums_mu, unit, extent.units, of_units)
        _store_sums(of_block, 5, sums_v, unit, extent.units, of_units)
        _store_sums(of_block, 10, (sum_mean, sum_std), unit, extent.units, of_units)


@triton.jit
def _store_units(gradient, offsets, mask, value):
    if gradient is not None:
        tl.store(gradient + offsets, value.to(gradient.dtype.element_ty), mask)


@triton.jit
def total_sums(
    sums,
    grad_parameters,
    grad_mean,
    grad_std,
    scale,
    scale_stride,
    extent,
    FILLED: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    ITERATIONS: tl.constexpr,
):
    """Adds up one of the sums of some units over a network's blocks, ROWS blocks at a time."""
    program = tl.program_id(0).to(tl.int64)
    unit = program % extent.unit_blocks * UNITS + tl.arange(0, UNITS)
    which = program // extent.unit_blocks % SUMS
    network = program // (extent.unit_blocks * SUMS)
    if FILLED and tl.load(scale + network * scale_stride) == 1:
        return
    mask = unit < extent.units
    total = tl.zeros((ROWS, UNITS), tl.float64)
    for iteration in range(ITERATIONS):
        block = iteration * ROWS + tl.arange(0, ROWS)[:, None]
        row = (network * extent.row_blocks + block) * SUMS + which
        total += tl.load(
            sums + row * extent.units + unit[None, :], (block < extent.row_blocks) & mask[None, :], 0.0
        )
    value = tl.sum(total, 0).to(sums.dtype.element_ty)
    if which < 10:
        _store_units(grad_parameters, (network * 10 + which) * extent.units + unit, mask, value)
    elif which == 10:
        _store_units(grad_mean, network * extent.units + unit, mask, value)
    else:
        _store_units(grad_std, network * extent.units + unit, mask, value)


@triton.jit
def total_squares(squares, cost, blocks, extent, ITERATIONS: tl.constexpr, BLOCK: tl.constexpr):
    """The cost of a network from its ``blocks`` sums of r^2, in one program."""
    network = tl.program_id(0).to(tl.int64)
    total = tl.zeros((BLOCK,), tl.float64)
    for iteration in range(ITERATIONS):
        lanes = iteration * BLOCK + tl.arange(0, BLOCK)
        total += tl.load(squares + network * blocks + lanes, lanes < blocks, 0.0)
    elements = tl.cast(extent.rows, tl.float64) * tl.cast(extent.units, tl.float64)
    tl.store(cost + network, (tl.sum(total, 0) / elements).to(cost.dtype.element_ty))

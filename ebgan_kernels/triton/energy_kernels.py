"""Kernels of the energy family in Triton and their traffic; the formulas are in ``energy_math``.

For N samples of D elements of b bytes, a pair of images with both gradients:

    whole_samples      reads 2 N D b, writes 2 N D b: each input once, each gradient once
    partial_sums       reads 2 N D b, writes one number a chunk
    finish_samples     reads 2 N D b, but nothing of a sample with a zero slope; writes 2 N D b
    gradients          the same, from saved energies; nothing where the buffers hold the gradients already
    mean_loss          reads one number a sample

A kernel serves one pair (PAIRS is 1 and ``second`` None) or two in one launch (real and fake); the number of
a program says to which pair it belongs. Sums run in the dtype of the energies, in an order that the block
sizes fix, so the same input gives the same bits.
"""

from __future__ import annotations

from typing import NamedTuple

import triton
import triton.language as tl
from torch import Tensor

from ebgan_kernels.triton.arithmetic import divide
from ebgan_kernels.triton.energy_math import (
    direction,
    energy_of_sum,
    loss_slope,
    loss_term,
    residual_term,
    scaled_slope,
)


class Pair(NamedTuple):
    """Reconstructions and targets of a batch, and their results.

    A gradient is None where it is not wanted, the margin where the loss has no hinge.
    """

    reconstruction: Tensor
    target: Tensor
    energy: Tensor
    grad_reconstruction: Tensor | None
    grad_target: Tensor | None
    margin: Tensor | None
    batch: int
    elements: int
    reconstruction_stride: int
    target_stride: int


class Energies(NamedTuple):
    """The energies of a batch as a term of the loss."""

    energy: Tensor
    gradient: Tensor | None
    margin: Tensor | None
    batch: int
    stride: int


@triton.jit
def _load_residual(pair, sample, start, lanes, mask):
    """Residuals in the accumulation dtype; they are 0 where masked."""
    dtype = pair.energy.dtype.element_ty
    reconstruction = pair.reconstruction + (sample * pair.reconstruction_stride + start)
    target = pair.target + (sample * pair.target_stride + start)
    return tl.load(reconstruction + lanes, mask, 0.0).to(dtype) - tl.load(target + lanes, mask, 0.0).to(dtype)


@triton.jit
def _store_gradient(gradient, offset, lanes, mask, value):
    if gradient is not None:
        tl.store(gradient + offset + lanes, value.to(gradient.dtype.element_ty), mask)


@triton.jit
def _gradient_factor(pair, energy, upstream, DISTANCE: tl.constexpr, SHAPING: tl.constexpr):
    """The factor of direction(r_j). SHAPING is None where the result is the energies, not their mean loss."""
    upstream = tl.cast(upstream, energy.dtype)
    if SHAPING is None:
        return scaled_slope(upstream, energy, pair.elements, 1, DISTANCE)
    else:
        slope = upstream * loss_slope(energy, pair.margin, SHAPING)
        return scaled_slope(slope, energy, pair.elements, pair.batch, DISTANCE)


@triton.jit
def _whole_sample(pair, sample, DISTANCE: tl.constexpr, SHAPING: tl.constexpr, BLOCK: tl.constexpr):
    lanes = tl.arange(0, BLOCK)
    mask = lanes < pair.elements
    residual = _load_residual(pair, sample, 0, lanes, mask)
    energy = energy_of_sum(tl.sum(residual_term(residual, DISTANCE), 0), pair.elements, DISTANCE)
    tl.store(pair.energy + sample, energy)
    # Without a gradient to store, the compiler drops what follows.
    gradient = _gradient_factor(pair, energy, 1.0, DISTANCE, SHAPING) * direction(residual, DISTANCE)
    _store_gradient(pair.grad_reconstruction, sample * pair.elements, lanes, mask, gradient)
    _store_gradient(pair.grad_target, sample * pair.elements, lanes, mask, -gradient)


@triton.jit
def whole_samples(
    first, second, PAIRS: tl.constexpr, DISTANCE: tl.constexpr, SHAPING: tl.constexpr, BLOCK: tl.constexpr
):
    """Energies and gradients, a program for each sample, whose residual stays in registers in between."""
    sample = tl.program_id(0).to(tl.int64)
    if PAIRS == 1 or sample < first.batch:
        _whole_sample(first, sample, DISTANCE, SHAPING, BLOCK)
    else:
        _whole_sample(second, sample - first.batch, DISTANCE, SHAPING, BLOCK)


@triton.jit
def _partial_sum(pair, sample, chunk, DISTANCE: tl.constexpr, ITERATIONS: tl.constexpr, BLOCK: tl.constexpr):
    start = chunk * (ITERATIONS * BLOCK)
    total = tl.zeros((BLOCK,), pair.energy.dtype.element_ty)
    for iteration in range(ITERATIONS):
        lanes = iteration * BLOCK + tl.arange(0, BLOCK)
        residual = _load_residual(pair, sample, start, lanes, lanes < pair.elements - start)
        total += residual_term(residual, DISTANCE)
    return tl.sum(total, 0)


@triton.jit
def partial_sums(
    first,
    second,
    partials,
    chunks,
    PAIRS: tl.constexpr,
    DISTANCE: tl.constexpr,
    ITERATIONS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Sums of terms, a program for each chunk; ``partials`` is (samples of both pairs, chunks)."""
    program = tl.program_id(0).to(tl.int64)
    sample, chunk = program // chunks, program % chunks
    if PAIRS == 1 or sample < first.batch:
        total = _partial_sum(first, sample, chunk, DISTANCE, ITERATIONS, BLOCK)
    else:
        total = _partial_sum(second, sample - first.batch, chunk, DISTANCE, ITERATIONS, BLOCK)
    tl.store(partials + program, total)


@triton.jit
def _gradient_chunk(
    pair,
    sample,
    chunk,
    energy,
    upstream,
    DISTANCE: tl.constexpr,
    SHAPING: tl.constexpr,
    ITERATIONS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    factor = _gradient_factor(pair, energy, upstream, DISTANCE, SHAPING)
    # A zero factor times finite residuals is 0 without reading them. Other residuals must be read, because
    # they give NaN, as in PyTorch.
    finite = (energy == energy) & (energy != float("inf"))
    start = chunk * (ITERATIONS * BLOCK)
    remaining = pair.elements - start
    needed = tl.where((factor == 0) & finite, 0, remaining)
    for iteration in range(ITERATIONS):
        lanes = iteration * BLOCK + tl.arange(0, BLOCK)
        mask = lanes < remaining
        gradient = factor * direction(_load_residual(pair, sample, start, lanes, lanes < needed), DISTANCE)
        _store_gradient(pair.grad_reconstruction, sample * pair.elements + start, lanes, mask, gradient)
        _store_gradient(pair.grad_target, sample * pair.elements + start, lanes, mask, -gradient)


@triton.jit
def _finish_chunk(
    pair,
    sample,
    chunk,
    partials,
    chunks,
    DISTANCE: tl.constexpr,
    SHAPING: tl.constexpr,
    CHUNKS: tl.constexpr,
    ITERATIONS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    lanes = tl.arange(0, CHUNKS)
    energy = energy_of_sum(tl.sum(tl.load(partials + lanes, lanes < chunks, 0.0), 0), pair.elements, DISTANCE)
    # Every program of a sample stores the same bits.
    tl.store(pair.energy + sample, energy)
    _gradient_chunk(pair, sample, chunk, energy, 1.0, DISTANCE, SHAPING, ITERATIONS, BLOCK)


@triton.jit
def finish_samples(
    first,
    second,
    partials,
    chunks,
    programs,
    PAIRS: tl.constexpr,
    DISTANCE: tl.constexpr,
    SHAPING: tl.constexpr,
    CHUNKS: tl.constexpr,
    ITERATIONS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Energies from ``partial_sums``, then gradients.

    A sample has ``programs`` programs, one for each chunk, or a single one without gradients.
    """
    # The last chunk comes first, because the L2 cache still holds what partial_sums read last.
    program = tl.num_programs(0).to(tl.int64) - 1 - tl.program_id(0)
    sample, chunk = program // programs, program % programs
    row = partials + sample * chunks
    if PAIRS == 1 or sample < first.batch:
        _finish_chunk(first, sample, chunk, row, chunks, DISTANCE, SHAPING, CHUNKS, ITERATIONS, BLOCK)
    else:
        sample -= first.batch
        _finish_chunk(second, sample, chunk, row, chunks, DISTANCE, SHAPING, CHUNKS, ITERATIONS, BLOCK)


@triton.jit
def gradients(
    pair,
    upstream,
    upstream_stride,
    chunks,
    FILLED: tl.constexpr,
    DISTANCE: tl.constexpr,
    SHAPING: tl.constexpr,
    ITERATIONS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Gradients from saved energies; with FILLED the buffers hold those for an incoming gradient of 1."""
    if FILLED and tl.load(upstream) == 1:
        return
    program = tl.program_id(0).to(tl.int64)
    sample, chunk = program // chunks, program % chunks
    energy = tl.load(pair.energy + sample)
    weight = tl.load(upstream + sample * upstream_stride)
    _gradient_chunk(pair, sample, chunk, energy, weight, DISTANCE, SHAPING, ITERATIONS, BLOCK)


@triton.jit
def _mean_term(
    energies, dtype: tl.constexpr, SHAPING: tl.constexpr, ITERATIONS: tl.constexpr, BLOCK: tl.constexpr
):
    total = tl.zeros((BLOCK,), dtype)
    for iteration in range(ITERATIONS):
        sample = iteration * BLOCK + tl.arange(0, BLOCK).to(tl.int64)
        mask = sample < energies.batch
        energy = tl.load(energies.energy + sample * energies.stride, mask, 0.0).to(dtype)
        total += tl.where(mask, loss_term(energy, energies.margin, SHAPING), 0.0)
        slope = divide(loss_slope(energy, energies.margin, SHAPING), energies.batch)
        _store_gradient(energies.gradient, 0, sample, mask, slope)
    return divide(tl.sum(total, 0), energies.batch)


@triton.jit
def mean_loss(
    loss,
    first,
    second,
    PAIRS: tl.constexpr,
    SHAPING: tl.constexpr,
    ITERATIONS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """The loss, in one program, since batches are small; an empty one gives 0 / 0 = NaN, as in PyTorch."""
    dtype: tl.constexpr = loss.dtype.element_ty
    total = _mean_term(first, dtype, SHAPING, ITERATIONS, BLOCK)
    if PAIRS == 2:
        total += _mean_term(second, dtype, SHAPING, ITERATIONS, BLOCK)
    tl.store(loss, total)

"""The pulling-away term in Triton: loss and gradient weights of a Gram matrix; see csrc/math/pulling_away.h.

    cosine    c_ij = G_ij / sqrt(G_ii G_jj), G = S S^T                          i, j = 1..N
    loss      k sum_i sum_{j != i} c_ij^2, k = 1 / (N (N - 1))
    gradient  d loss / d S = W S:  W_ij = 4 k c_ij / sqrt(G_ii G_jj), W_ii = -4 k sum_{j != i} c_ij^2 / G_ii

For numbers of b bytes, N^2 b are read and, where weights are wanted, N^2 b written. Every program also reads
the diagonal, a sector of 32 bytes for each number, and so serves several rows. Rows are summed in the dtype
of G, their sums in float64, in an order that the block sizes fix, so the same input gives the same bits.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from ebgan_kernels.native.pulling_away import FAKES, SCHEMAS
from ebgan_kernels.triton.arithmetic import divide, square_root
from ebgan_kernels.triton.launch import block_of, operator, warps_of

ROWS = 4
LARGEST_BLOCK = 1024


@triton.jit
def _inverse_norm(squared_norm):
    """1 / norm of a row from its square; it is 0 for a norm of 0, and NaN, not 0, for an infinite one."""
    return divide(square_root(squared_norm), tl.where(squared_norm == 0, 1.0, squared_norm))


@triton.jit
def _pair_share(batch, dtype: tl.constexpr):
    """The k of the loss."""
    rows = tl.cast(batch, dtype)
    return divide(tl.full((), 1, dtype), rows * (rows - 1))


@triton.jit
def row_weights(
    gram, squares, weights, batch, ROWS: tl.constexpr, ITERATIONS: tl.constexpr, BLOCK: tl.constexpr
):
    """Sums of squared cosines over rows, and, unless ``weights`` is None, W with a diagonal of 0."""
    dtype: tl.constexpr = gram.dtype.element_ty
    factor = 4 * _pair_share(batch, dtype)
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    row_mask = row < batch
    row_scale = _inverse_norm(tl.load(gram + row * (batch + 1), row_mask, 0.0))[:, None]
    total = tl.zeros((ROWS, BLOCK), dtype)
    for iteration in range(ITERATIONS):
        column = iteration * BLOCK + tl.arange(0, BLOCK).to(tl.int64)
        column_mask = column < batch
        column_scale = _inverse_norm(tl.load(gram + column * (batch + 1), column_mask, 0.0))[None, :]
        offsets = row[:, None] * batch + column[None, :]
        mask = row_mask[:, None] & column_mask[None, :]
        product = tl.where(row[:, None] == column[None, :], 0.0, tl.load(gram + offsets, mask, 0.0))
        cosine = product * row_scale * column_scale
        total += cosine * cosine
        if weights is not None:
            tl.store(weights + offsets, factor * cosine * row_scale * column_scale, mask)
    tl.store(squares + row, tl.sum(total, 1), row_mask)


@triton.jit
def loss_and_diagonal(loss, gram, squares, weights, batch, ITERATIONS: tl.constexpr, BLOCK: tl.constexpr):
    """The loss and the diagonal of W, which takes sums over whole rows, in one program."""
    dtype: tl.constexpr = gram.dtype.element_ty
    share = _pair_share(batch, dtype)
    total = tl.zeros((BLOCK,), tl.float64)
    for iteration in range(ITERATIONS):
        row = iteration * BLOCK + tl.arange(0, BLOCK).to(tl.int64)
        mask = row < batch
        of_row = tl.load(squares + row, mask, 0.0)
        total += of_row
        if weights is not None:
            scale = _inverse_norm(tl.load(gram + row * (batch + 1), mask, 0.0))
            tl.store(weights + row * (batch + 1), -4 * share * of_row * scale * scale, mask)
    tl.store(loss, (_pair_share(batch, tl.float64) * tl.sum(total, 0)).to(dtype))


@operator("pulling_away_weights", SCHEMAS, FAKES)
def pulling_away_weights(outputs: tuple[Tensor, Tensor], gram: Tensor, need_weights: bool) -> None:
    (loss, weights), batch = outputs, gram.shape[0]
    squares = gram.new_empty(batch)
    wanted = weights if need_weights else None
    block = block_of(batch, LARGEST_BLOCK)
    blocks = {"ITERATIONS": triton.next_power_of_2(triton.cdiv(batch, block)), "BLOCK": block}
    row_weights[(triton.cdiv(batch, ROWS),)](
        gram, squares, wanted, batch, ROWS=ROWS, **blocks, num_warps=warps_of(ROWS * block, gram.dtype)
    )
    loss_and_diagonal[(1,)](
        loss, gram, squares, wanted, batch, **blocks, num_warps=warps_of(block, gram.dtype)
    )

"""The gradient-difference family's operators in Triton: ``ebgan_kernels::<name>_triton`` for every schema.

A multi-scale loss takes one launch for the target's averages, one for each scale and one for the sum. The
averages stay in the dtype of sums, which takes a third of the target's memory, or two thirds for a half type.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor

from ebgan_kernels.native.gdl import FAKES, REDUCTIONS, SCHEMAS
from ebgan_kernels.native.library import of_all
from ebgan_kernels.reference.dtypes import accumulation_dtype
from ebgan_kernels.triton import gdl_kernels as kernels
from ebgan_kernels.triton.gdl_kernels import MOST_LEVELS, Images, Levels
from ebgan_kernels.triton.launch import block_of, operator, warps_of

# The bytes of a tile in the dtype of sums, 8 float32 numbers for each thread. About ten such arrays are alive
# at once; other sizes were not measured.
TILE_BYTES = 4096
# The most columns of a tile. With 64, which are 256 bytes of a row, a tile has 16 lines and reads 1/8 more
# than its own.
MOST_COLUMNS = 64
# One program reads all the sums of a sample, so beyond this many programs take more tiles instead. The bound
# was not measured.
MOST_SUMS = 16384
SUM_BLOCK = 1024
TILE_WARPS = 4
ANY_EXPONENT = 0


class Options(NamedTuple):
    """The arguments of a loss in the order of the schemas."""

    p: int
    alpha: float
    lp_weight: float
    gdl_weight: float
    reduction: int


class Cut(NamedTuple):
    """The cut of samples (lines, width), where a line is a row of a slice.

    A program takes ``iterations`` tiles.
    """

    samples: int
    lines: int
    length: int
    rows: int
    width: int
    tile: tuple[int, int]
    iterations: int
    line_programs: int
    column_programs: int

    @property
    def parts(self) -> int:
        return self.line_programs * self.column_programs


def _tile(width: int, dtype: torch.dtype, least: int = 1) -> tuple[int, int]:
    """The lines and columns of a tile, powers of two of at least ``least``."""
    columns = max(min(triton.next_power_of_2(width), MOST_COLUMNS), least)
    return max(TILE_BYTES // dtype.itemsize // columns, least), columns


def _cut(images: Images, spatial_dims: int, reduction: int) -> Cut:
    """The cut of the images: they are one sample, or N samples for reduction "none"."""
    shape = images.target.shape
    samples = shape[0] if reduction == REDUCTIONS["none"] else 1
    lines, width = images.target.numel() // (samples * shape[-1]) if samples else 0, shape[-1]
    tile = _tile(width, accumulation_dtype(images.target))
    column_programs = triton.cdiv(width, tile[1])
    tiles = triton.cdiv(lines, tile[0])
    iterations = triton.next_power_of_2(max(triton.cdiv(tiles * column_programs, MOST_SUMS), 1))
    rows = shape[-2] if spatial_dims == 3 else 1
    return Cut(
        samples,
        lines,
        shape[-spatial_dims],
        rows,
        width,
        tile,
        iterations,
        triton.cdiv(tiles, iterations),
        column_programs,
    )


def _launch(
    images: Images,
    sums: Tensor | None,
    cut: Cut,
    spatial_dims: int,
    options: Options,
    weight: float = 1.0,
    upstream: Tensor | None = None,
    filled: bool = False,
) -> None:
    """Computes the sums of terms, and the gradients that are wanted; without elements it does nothing."""
    elements = cut.lines * cut.width
    if not elements * cut.samples:
        return
    whole_sum = options.reduction == REDUCTIONS["sum"]

    def axis_share(size: int) -> float:
        pairs = 1 if whole_sum else elements // size * max(size - 1, 1)
        return weight * options.gdl_weight / pairs

    exponent = int(options.alpha) if options.alpha in (1, 2) else ANY_EXPONENT
    kernels.stencil[(cut.samples * cut.parts,)](
        images,
        sums,
        upstream,
        upstream.stride(0) if upstream is not None and upstream.ndim else 0,
        cut.lines,
        cut.length,
        cut.rows,
        cut.width,
        cut.line_programs,
        cut.column_programs,
        weight * options.lp_weight / (1 if whole_sum else elements),
        axis_share(cut.length),
        axis_share(cut.rows),
        axis_share(cut.width),
        float(options.alpha),
        FILLED=filled,
        AXES=spatial_dims,
        P=options.p if options.lp_weight else None,
        EXPONENT=exponent if options.gdl_weight else None,
        ITERATIONS=cut.iterations,
        LINES=cut.tile[0],
        COLUMNS=cut.tile[1],
        # Powers in float64 take as many registers again: 48 bytes spilled in 4 warps (sm_90, Triton 3.7.1).
        num_warps=2 * TILE_WARPS if exponent == ANY_EXPONENT else TILE_WARPS,
    )


def _add_sums(losses: Tensor, sums: Tensor, reduction: int) -> None:
    """Adds sums (samples, parts) to losses (samples,). A mean over nothing is NaN, as in PyTorch."""
    samples, parts = sums.shape
    if not parts:
        losses.fill_(0.0 if reduction == REDUCTIONS["sum"] else math.nan)
        return
    block = block_of(parts, SUM_BLOCK)
    kernels.losses_of_sums[(samples,)](
        losses,
        sums,
        parts,
        ITERATIONS=triton.next_power_of_2(triton.cdiv(parts, block)),
        BLOCK=block,
        num_warps=warps_of(block, torch.float64),
    )


@operator("prediction_loss", SCHEMAS, FAKES)
def prediction_loss(
    outputs: tuple[Tensor, list[Tensor]], prediction: Tensor, target: Tensor, *arguments: Any
) -> None:
    losses, gradients = outputs
    spatial_dims, *options, needed = arguments
    # Losses of each sample come without gradients.
    images = Images(prediction, target, *(of_all(gradients, needed, 2) if gradients else (None, None)))
    cut = _cut(images, spatial_dims, options[-1])
    sums = losses.new_empty(cut.samples, cut.parts)
    _launch(images, sums, cut, spatial_dims, Options(*options))
    _add_sums(losses, sums, options[-1])


@operator("prediction_loss_backward_", SCHEMAS, FAKES)
def prediction_loss_backward_(
    gradients: Sequence[Tensor], grad_loss: Tensor, prediction: Tensor, target: Tensor, *arguments: Any
) -> None:
    spatial_dims, *options, needed, filled = arguments
    images = Images(prediction, target, *of_all(gradients, needed, 2))
    cut = _cut(images, spatial_dims, options[-1])
    _launch(images, None, cut, spatial_dims, Options(*options), upstream=grad_loss, filled=filled)


def _empty_averages(x: Tensor, levels: int) -> list[Tensor]:
    """The next ``levels`` averages of x in the dtype of sums, finest first, uninitialised."""
    *leading, height, width = x.shape
    dtype = accumulation_dtype(x)
    return [x.new_empty((*leading, height >> k, width >> k), dtype=dtype) for k in range(1, levels + 1)]


def _fill_averages(x: Tensor, averages: Sequence[Tensor]) -> None:
    """Computes the next averages of x, finest first; a launch makes up to MOST_LEVELS."""
    made, width = averages[:MOST_LEVELS], x.shape[-1]
    lines = x.numel() // width
    tile = _tile(width, made[0].dtype, 1 << len(made))
    column_programs = triton.cdiv(width, tile[1])
    kernels.averages[(triton.cdiv(lines, tile[0]) * column_programs,)](
        x,
        Levels(*made, *[None] * (MOST_LEVELS - len(made))),
        lines,
        width,
        column_programs,
        COUNT=len(made),
        LINES=tile[0],
        COLUMNS=tile[1],
        num_warps=TILE_WARPS,
    )
    if len(averages) > MOST_LEVELS:
        _fill_averages(made[-1], averages[MOST_LEVELS:])


def _scales(
    predictions: Sequence[Tensor], target: Tensor, gradients: Sequence[Tensor], needed: int
) -> list[tuple[Images, Cut]]:
    """The images and the cut of each scale, coarse to fine."""
    averages = _empty_averages(target, len(predictions) - 1)
    if averages:
        _fill_averages(target, averages)
    of_scales = zip(
        predictions, (*reversed(averages), target), of_all(gradients, needed, len(predictions)), strict=True
    )
    images = [Images(*of_scale, None) for of_scale in of_scales]
    return [(of_scale, _cut(of_scale, 2, REDUCTIONS["mean"])) for of_scale in images]


@operator("multiscale_prediction_loss", SCHEMAS, FAKES)
def multiscale_prediction_loss(
    outputs: tuple[Tensor, list[Tensor]], predictions: Sequence[Tensor], target: Tensor, *arguments: Any
) -> None:
    loss, gradients = outputs
    p, alpha, lp_weight, gdl_weight, scale_weights, needed = arguments
    options = Options(p, alpha, lp_weight, gdl_weight, REDUCTIONS["mean"])
    scales = _scales(predictions, target, gradients, needed)
    sums = loss.new_empty(1, sum(cut.parts for _, cut in scales))
    parts = sums.split([cut.parts for _, cut in scales], 1)
    for (images, cut), part, weight in zip(scales, parts, scale_weights, strict=True):
        _launch(images, part, cut, 2, options, weight)
    _add_sums(loss, sums, options.reduction)


@operator("multiscale_prediction_loss_backward_", SCHEMAS, FAKES)
def multiscale_prediction_loss_backward_(
    gradients: Sequence[Tensor],
    grad_loss: Tensor,
    predictions: Sequence[Tensor],
    target: Tensor,
    *arguments: Any,
) -> None:
    p, alpha, lp_weight, gdl_weight, scale_weights, needed, filled = arguments
    options = Options(p, alpha, lp_weight, gdl_weight, REDUCTIONS["mean"])
    scales = _scales(predictions, target, gradients, needed)
    for (images, cut), weight in zip(scales, scale_weights, strict=True):
        _launch(images, None, cut, 2, options, weight, grad_loss, filled)


@operator("average_pyramid", SCHEMAS, FAKES)
def average_pyramid(outputs: Sequence[Tensor], x: Tensor, levels: int) -> None:
    finest_first = outputs[::-1]
    if x.dtype == accumulation_dtype(x):
        _fill_averages(x, finest_first)
        return
    averages = _empty_averages(x, len(outputs))
    _fill_averages(x, averages)
    for output, average in zip(finest_first, averages, strict=True):
        output.copy_(average)


@operator("average_pyramid_backward", SCHEMAS, FAKES)
def average_pyramid_backward(grad_x: Tensor, gradients: Sequence[Tensor]) -> None:
    coarser = None
    for gradient in gradients:
        *leading, height, width = gradient.shape
        is_last, dtype = gradient is gradients[-1], accumulation_dtype(gradient)
        result = grad_x if is_last else gradient.new_empty((*leading, 2 * height, 2 * width), dtype=dtype)
        lines = result.numel() // (2 * width)
        tile = _tile(2 * width, dtype)
        column_programs = triton.cdiv(2 * width, tile[1])
        kernels.spread[(triton.cdiv(lines, tile[0]) * column_programs,)](
            result,
            gradient,
            coarser,
            lines,
            2 * width,
            column_programs,
            LINES=tile[0],
            COLUMNS=tile[1],
            num_warps=TILE_WARPS,
        )
        coarser = result

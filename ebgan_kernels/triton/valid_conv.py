"""The valid-convolution family's operators in Triton: ``ebgan_kernels::<name>_triton`` for every schema.

A launch takes up to MOST_SCALES scales. Its kernels are compiled for the layers that they meet: each scale is
a branch in which its tile, its strides of 1 and its multiples of 16 are constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor

from ebgan_kernels.native.library import of_all
from ebgan_kernels.native.valid_conv import (
    ACTIVATIONS,
    FAKES,
    SCHEMAS,
    channels_last,
)
from ebgan_kernels.reference.dtypes import accumulation_dtype
from ebgan_kernels.triton import valid_conv_kernels as kernels
from ebgan_kernels.triton.launch import operator
from ebgan_kernels.triton.valid_conv_kernels import Correlation, Image, Sum, WeightGradient

MOST_SCALES = 4
# Two programs for each of an H100's 132 multiprocessors: tiles shrink, and sums over pixels are cut, to reach
# this number. It is a constant, since the number of parts decides the bits of a sum.
PROGRAMS = 264
SUM_BLOCK = 1024
# With 32 terms their channels, rows and columns take so many registers that 16 to 64 bytes spill (sm_80).
TERMS = 16
# With four warps 328 bytes spill, with three stages 96 (bfloat16, float64 on sm_80, Triton 3.7.1). Without a
# limit ptxas spills 8 or 16 bytes to make two blocks fit a multiprocessor; 8 warps can have 256 registers.
WARPS, STAGES, REGISTERS = 8, 2, 232
LARGEST_INT32 = 2**31 - 1


class Tile(NamedTuple):
    """Rows and columns of a tile of a matrix product, and the terms of its sums that are taken at a time."""

    rows: int
    columns: int
    terms: int


class Job(NamedTuple):
    """One scale of a launch: the argument of its kernel, and the number of its programs.

    ``form`` holds what they are compiled for: whether channels are neighbours in memory, whether the count of
    pixels needs 64 bits, and the tile.
    """

    scale: Any
    programs: int
    form: tuple[bool, bool, int, int, int] | None = None


def _tile(rows: int, columns: int, dtype: torch.dtype, precision: str) -> Tile:
    """The tile of a matrix: as large as registers allow, and lower where there would be few programs."""
    factors_in_registers = dtype == torch.float64 or (dtype == torch.float32 and precision == "ieee")
    most = Tile(32, 32, TERMS) if factors_in_registers else Tile(64, 64, TERMS)
    width = min(max(triton.next_power_of_2(columns), 16), most.columns)
    height = min(max(triton.next_power_of_2(rows), 16), most.rows)
    while height > 16 and triton.cdiv(rows, height) * triton.cdiv(columns, width) < PROGRAMS // 2:
        height //= 2
    return Tile(height, width, most.terms)


def _precision(tensor: Tensor, tf32: bool) -> str:
    return "tf32" if tf32 and tensor.dtype == torch.float32 else "ieee"


def _image(tensor: Tensor) -> Image:
    return Image(tensor, *tensor.stride())


def _exchanged(weight: Tensor) -> Image:
    """The weights with maps and channels exchanged: maps are summed over, channels are the result's."""
    outer, channel, row, column = weight.stride()
    return Image(weight, channel, outer, row, column)


def _launch(kernel: Any, jobs: Sequence[Job], **constants: Any) -> None:
    """Launches the jobs that have programs, up to MOST_SCALES in each launch."""
    busy = [job for job in jobs if job.programs]
    for first in range(0, len(busy), MOST_SCALES):
        group = busy[first : first + MOST_SCALES]
        if group[0].form is not None:
            constants["FORMS"] = tuple(job.form for job in group)
        starts = (0, *accumulate(job.programs for job in group))
        kernel[(starts[-1],)](
            (*(job.scale for job in group), None),
            starts,
            COUNT=len(group),
            **constants,
            num_warps=WARPS,
            num_stages=STAGES,
            maxnreg=REGISTERS,
        )


def _correlation(
    source: Tensor,
    mask: Image | None,
    weight: Image,
    bias: Tensor | None,
    result: Tensor,
    precision: str,
) -> Job:
    samples, maps, height, width = result.shape
    _, channels, source_height, source_width = source.shape
    pixels = samples * height * width
    tile = _tile(pixels, maps, source.dtype, precision)
    scale = Correlation(
        _image(source),
        mask,
        weight,
        bias,
        _image(result),
        pixels,
        height,
        width,
        maps,
        channels,
        source_height,
        source_width,
        *weight.data.shape[2:],
    )
    programs = triton.cdiv(pixels, tile.rows) * triton.cdiv(maps, tile.columns)
    return Job(scale, programs, (channels_last(source), pixels + tile.rows > LARGEST_INT32, *tile))


@operator("multiscale_valid_conv2d", SCHEMAS, FAKES)
def multiscale_valid_conv2d(outputs: Sequence[Tensor], *arguments: Any) -> None:
    inputs, weights, biases, activation, tf32 = arguments
    precision = _precision(inputs[0], tf32)
    jobs = [
        _correlation(input, None, _image(weight), bias if bias.numel() else None, output, precision)
        for input, weight, bias, output in zip(inputs, weights, biases, outputs, strict=True)
    ]
    _launch(
        kernels.correlate,
        jobs,
        ACTIVATION=activation,
        BACKWARD=False,
        PRECISION=precision,
    )


@operator("multiscale_valid_conv2d_backward", SCHEMAS, FAKES)
def multiscale_valid_conv2d_backward(gradients: Sequence[Tensor], *arguments: Any) -> None:
    grad_outputs, outputs, inputs, weights, activation, tf32, *needs = arguments
    need_inputs, need_weights, need_biases = needs
    scales = len(inputs)
    needed = need_inputs | need_weights << scales | need_biases << 2 * scales
    of_tensors = of_all(gradients, needed, 3 * scales)
    grad_inputs, grad_weights, grad_biases = (of_tensors[i * scales : (i + 1) * scales] for i in range(3))
    masks = [None if activation == ACTIVATIONS["none"] else _image(output) for output in outputs]
    precision = _precision(inputs[0], tf32)
    constants = {"ACTIVATION": activation, "PRECISION": precision}
    jobs = [
        _correlation(grad_output, mask, _exchanged(weight), None, grad_input, precision)
        for grad_output, mask, weight, grad_input in zip(
            grad_outputs, masks, weights, grad_inputs, strict=True
        )
        if grad_input is not None
    ]
    _launch(kernels.correlate, jobs, BACKWARD=True, **constants)
    parts = [
        _parts(*scale, precision=precision)
        for scale in zip(inputs, grad_outputs, masks, weights, grad_weights, grad_biases, strict=True)
        if scale[-2] is not None or scale[-1] is not None
    ]
    _launch(kernels.weight_gradients, [job for job, _ in parts], **constants)
    sums = [total for _, total in parts if total is not None]
    _launch(kernels.add_parts, sums, BLOCK=SUM_BLOCK)


def _parts(
    input: Tensor,
    grad_output: Tensor,
    mask: Image | None,
    weight: Tensor,
    grad_weight: Tensor | None,
    grad_bias: Tensor | None,
    *,
    precision: str,
) -> tuple[Job, Job | None]:
    """The jobs that compute the gradients of one scale's weight and bias: their parts, and the parts' sum.

    A gradient that is None is not wanted. A single part is written to the gradients, and has no sum.
    """
    maps, channels, kernel_height, kernel_width = weight.shape
    terms = weight.numel() // maps
    samples, _, height, width = grad_output.shape
    pixels = samples * height * width
    tile = _tile(maps, terms, input.dtype, precision)
    tiles = triton.cdiv(maps, tile.rows) * (1 if grad_weight is None else triton.cdiv(terms, tile.columns))
    part_pixels = max(triton.cdiv(pixels * tiles, PROGRAMS), 4 * tile.terms)
    part_pixels = triton.cdiv(part_pixels, tile.terms) * tile.terms
    parts = max(triton.cdiv(pixels, part_pixels), 1)
    weights = 0 if grad_weight is None else weight.numel()
    elements = weights + (0 if grad_bias is None else maps)
    total = None
    to_weight, to_bias = grad_weight, grad_bias
    if parts > 1:
        buffer = input.new_empty(parts, elements, dtype=accumulation_dtype(input))
        total = Job(
            Sum(buffer, grad_weight, grad_bias, parts, weights, elements), triton.cdiv(elements, SUM_BLOCK)
        )
        to_weight = None if grad_weight is None else buffer.as_strided(weight.shape, grad_weight.stride())
        to_bias = None if grad_bias is None else buffer[0, weights:]
    scale = WeightGradient(
        _image(input),
        _image(grad_output),
        mask,
        None if to_weight is None else _image(to_weight),
        to_bias,
        elements,
        pixels,
        height,
        width,
        maps,
        channels,
        kernel_height,
        kernel_width,
        parts,
        part_pixels,
    )
    form = (channels_last(input), pixels + part_pixels > LARGEST_INT32, *tile)
    return Job(scale, tiles * parts, form), total

"""The valid-convolution family's operators in Triton: ``ebgan_kernels::<name>_triton`` for every schema.

A launch takes up to MOST_SCALES scales. Its kernels are compiled for the layer they meet: a scale is a branch
of its own, with its tile, its strides of 1 and its multiples of 16 known.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import torch
import triton
from torch import Tensor

from ebgan_kernels.native.library import accumulation_dtype
from ebgan_kernels.native.valid_conv import (
    ACTIVATIONS,
    FAKES,
    SCHEMAS,
    channels_last,
    empty_bias_gradients,
    empty_gradients,
    empty_output,
)
from ebgan_kernels.triton import valid_conv_kernels as kernels
from ebgan_kernels.triton.launch import operator
from ebgan_kernels.triton.valid_conv_kernels import Correlation, Image, Sum, WeightGradient

MOST_SCALES = 4
WARPS = 4
# Two for each of an H100's 132 multiprocessors: tiles shrink, and sums over pixels are cut, to reach that many.
# A constant, since the number of parts decides the bits of a sum.
PROGRAMS = 264
SUM_BLOCK = 1024
LARGEST_INT32 = 2**31 - 1


class Tile(NamedTuple):
    """Rows and columns of a tile of a matrix product, and the terms of its sums that are taken at a time."""

    rows: int
    columns: int
    terms: int


def _tile(rows: int, columns: int, dtype: torch.dtype, precision: str) -> Tile:
    """Of a matrix of rows x columns: as large as its dtype's registers allow, and as makes many programs."""
    if dtype == torch.float64:
        most = Tile(32, 32, 16)
    elif dtype == torch.float32 and precision == "ieee":
        most = Tile(64, 64, 16)
    else:
        most = Tile(128, 64, 32)
    width = min(max(triton.next_power_of_2(columns), 16), most.columns)
    height = min(max(triton.next_power_of_2(rows), 16), most.rows)
    while height > 16 and triton.cdiv(rows, height) * triton.cdiv(columns, width) < PROGRAMS // 2:
        height //= 2
    return Tile(height, width, most.terms)


def _precision(tensor: Tensor, tf32: bool) -> str:
    return "tf32" if tf32 and tensor.dtype == torch.float32 else "ieee"


def _image(tensor: Tensor) -> Image:
    return Image(tensor, *tensor.stride())


def _fastest(tensor: Tensor) -> bool:
    """Whether the channels of a pixel are neighbours."""
    return channels_last(tensor)


def _launch(
    kernel: Any, scales: Sequence[Any], programs: Sequence[int], forms: Sequence[Any], **options: Any
):
    """A launch for each MOST_SCALES scales of those that have programs."""
    busy = [item for item in zip(scales, programs, forms, strict=True) if item[1]]
    for first in range(0, len(busy), MOST_SCALES):
        group = busy[first : first + MOST_SCALES]
        starts = (0, *accumulate(count for _, count, _ in group))
        if "BLOCK" not in options:
            options["FORMS"] = tuple(form for _, _, form in group)
        kernel[(starts[-1],)](
            tuple(scale for scale, _, _ in group),
            starts,
            COUNT=len(group),
            num_warps=WARPS,
            **options,
        )


def _correlate(layers: Sequence[Correlation], activation: int, precision: str, *, backward: bool) -> None:
    programs, forms = [], []
    for layer in layers:
        source = layer.source.data
        tile = _tile(layer.pixels, layer.maps, source.dtype, precision)
        programs.append(triton.cdiv(layer.pixels, tile.rows) * triton.cdiv(layer.maps, tile.columns))
        forms.append((_fastest(source), layer.pixels + tile.rows > LARGEST_INT32, *tile))
    _launch(
        kernels.correlate,
        layers,
        programs,
        forms,
        ACTIVATION=activation,
        BACKWARD=backward,
        PRECISION=precision,
    )


@operator("multiscale_valid_conv2d", SCHEMAS, FAKES)
def multiscale_valid_conv2d(
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    activation: int,
    tf32: bool,
) -> list[Tensor]:
    outputs = [empty_output(*pair) for pair in zip(inputs, weights, strict=True)]
    layers = [
        Correlation(
            source=_image(input),
            output=None,
            weight=_image(weight),
            bias=bias if bias.numel() else None,
            result=_image(output),
            pixels=output.numel() // output.shape[1],
            height=output.shape[2],
            width=output.shape[3],
            maps=output.shape[1],
            channels=input.shape[1],
            source_height=input.shape[2],
            source_width=input.shape[3],
            kernel_height=weight.shape[2],
            kernel_width=weight.shape[3],
        )
        for input, weight, bias, output in zip(inputs, weights, biases, outputs, strict=True)
    ]
    _correlate(layers, activation, _precision(inputs[0], tf32), backward=False)
    return outputs


@operator("multiscale_valid_conv2d_backward", SCHEMAS, FAKES)
def multiscale_valid_conv2d_backward(
    grad_outputs: Sequence[Tensor],
    outputs: Sequence[Tensor],
    inputs: Sequence[Tensor],
    weights: Sequence[Tensor],
    activation: int,
    tf32: bool,
    need_input: Sequence[bool],
    need_weight: Sequence[bool],
    need_bias: Sequence[bool],
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    grad_inputs = empty_gradients(inputs, need_input)
    grad_weights = empty_gradients(weights, need_weight)
    grad_biases = empty_bias_gradients(weights, need_bias)
    masks = [None if activation == ACTIVATIONS["none"] else _image(output) for output in outputs]
    precision = _precision(inputs[0], tf32)
    layers = [
        Correlation(
            source=_image(grad_output),
            output=mask,
            weight=_exchanged(weight),
            bias=None,
            result=_image(grad_input),
            pixels=grad_input.numel() // grad_input.shape[1],
            height=grad_input.shape[2],
            width=grad_input.shape[3],
            maps=grad_input.shape[1],
            channels=grad_output.shape[1],
            source_height=grad_output.shape[2],
            source_width=grad_output.shape[3],
            kernel_height=weight.shape[2],
            kernel_width=weight.shape[3],
        )
        for grad_output, mask, weight, grad_input in zip(
            grad_outputs, masks, weights, grad_inputs, strict=True
        )
        if grad_input.dim() == 4
    ]
    _correlate(layers, activation, precision, backward=True)
    scales = zip(inputs, grad_outputs, masks, weights, grad_weights, grad_biases, strict=True)
    _weight_gradients([_Scale(*scale) for scale in scales], activation, precision)
    return grad_inputs, grad_weights, grad_biases


def _exchanged(weight: Tensor) -> Image:
    """Weights whose maps are summed over, and whose channels are the result's."""
    outer, channel, row, column = weight.stride()
    return Image(weight, channel, outer, row, column)


class _Scale(NamedTuple):
    """What a weight's and a bias's gradient are made of, and where they go; of 0 elements: not wanted."""

    input: Tensor
    grad_output: Tensor
    mask: Image | None
    weight: Tensor
    grad_weight: Tensor
    grad_bias: Tensor


def _weight_gradients(scales: Sequence[_Scale], activation: int, precision: str) -> None:
    layers, programs, forms = [], [], []
    sums, sum_programs = [], []
    for scale in scales:
        want_weight, want_bias = scale.grad_weight.dim() == 4, scale.grad_bias.numel() > 0
        if not (want_weight or want_bias):
            continue
        maps, channels, *kernel = scale.weight.shape
        terms = scale.weight.numel() // maps
        pixels = scale.grad_output.numel() // maps
        tile = _tile(maps, terms, scale.input.dtype, precision)
        tiles = triton.cdiv(maps, tile.rows) * (triton.cdiv(terms, tile.columns) if want_weight else 1)
        part_pixels = max(triton.cdiv(pixels, max(PROGRAMS // tiles, 1)), 4 * tile.terms)
        part_pixels = triton.cdiv(part_pixels, tile.terms) * tile.terms
        parts = max(triton.cdiv(pixels, part_pixels), 1)
        to_weight, to_bias = scale.grad_weight, scale.grad_bias
        elements = to_weight.numel() + to_bias.numel()
        if parts > 1:
            buffer = scale.input.new_empty(parts, elements, dtype=accumulation_dtype(scale.input))
            of_weight, to_bias = buffer[0].split([to_weight.numel(), to_bias.numel()])
            if want_weight:
                to_weight = of_weight.as_strided(to_weight.shape, to_weight.stride())
            sums.append(
                Sum(
                    buffer,
                    scale.grad_weight if want_weight else None,
                    scale.grad_bias if want_bias else None,
                    parts,
                    scale.grad_weight.numel(),
                    elements,
                )
            )
            sum_programs.append(triton.cdiv(elements, SUM_BLOCK))
        layers.append(
            WeightGradient(
                input=_image(scale.input),
                grad_output=_image(scale.grad_output),
                output=scale.mask,
                weight=_image(to_weight) if want_weight else None,
                bias=to_bias if want_bias else None,
                part_elements=elements,
                pixels=pixels,
                height=scale.grad_output.shape[2],
                width=scale.grad_output.shape[3],
                maps=maps,
                channels=channels,
                kernel_height=kernel[0],
                kernel_width=kernel[1],
                parts=parts,
                part_pixels=part_pixels,
            )
        )
        programs.append(tiles * parts)
        forms.append((_fastest(scale.input), pixels + part_pixels > LARGEST_INT32, *tile))
    _launch(kernels.weight_gradients, layers, programs, forms, ACTIVATION=activation, PRECISION=precision)
    _launch(kernels.add_parts, sums, sum_programs, sums, BLOCK=SUM_BLOCK)

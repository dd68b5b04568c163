"""Valid convolutions in Triton as implicit matrix products, with the tiles of all scales in one launch.

    output        y[n, o, i, j] = f(b[o] + sum over c, k, l of x[n, c, i + k, j + l] w[o, c, k, l])
    input         dx[n, c, i, j] = sum over o, k, l of g[n, o, i - k, j - l] w[o, c, k, l],  g = f'(y) dy
    weight, bias  dw[o, c, k, l] = sum over n, i, j of g[n, o, i, j] x[n, c, i + k, j + l],  db[o] = sum of g

For numbers of b bytes, the forward pass reads (N C H W + O C KH KW + O) b and writes N O OH OW b; each of the
backward passes reads dy and y. Neither the windows of x nor g are ever stored: tiles gather windows, and g is
computed from dy and y as they are loaded. ``valid_conv_math`` holds activations and the arithmetic of sums.

Each bundle that a kernel takes ends in None: Triton 3.6 learns of constants in a nested tuple (a stride of 1)
only when a constant of the outer one is set after them; in a loop they would be None.

``correlate`` serves the first two lines; the second has exchanged weights and mirrored windows. The third
line sums over all pixels, which are many where weights are few. Its sum is cut into parts for separate
programs, and ``add_parts`` adds the parts in order, so that the same input gives the same bits.

A tile also multiplies the zeros beside a source, so a weight that is not finite makes dx NaN near the edges,
where the sum of the second line has no such term.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import triton
import triton.language as tl

from ebgan_kernels.triton.valid_conv_math import activate, activation_gradient, product


class Image(NamedTuple):
    """A batch (N, C, H, W) or weights (O, C, KH, KW): the data, and the strides in that order."""

    data: Any
    outer: int
    channel: int
    row: int
    column: int


class Correlation(NamedTuple):
    """One scale of ``correlate``, which makes a result of source and weights.

    ``output`` is y, from which the backward pass computes the activation's derivative. The weight's ``outer``
    stride steps through the result's channels, its ``channel`` stride through the source's.
    """

    source: Image
    output: Image | None
    weight: Image
    bias: Any
    result: Image
    pixels: int
    height: int
    width: int
    maps: int
    channels: int
    source_height: int
    source_width: int
    kernel_height: int
    kernel_width: int
    end: None = None


class WeightGradient(NamedTuple):
    """One scale of ``weight_gradients``: dw and db, each None where it is not wanted.

    A part lies ``part_elements`` elements after the one before.
    """

    input: Image
    grad_output: Image
    output: Image | None
    weight: Image | None
    bias: Any
    part_elements: int
    pixels: int
    height: int
    width: int
    maps: int
    channels: int
    kernel_height: int
    kernel_width: int
    parts: int
    part_pixels: int
    end: None = None


class Sum(NamedTuple):
    """One scale of ``add_parts``; each part holds the elements of dw, then those of db."""

    parts: Any
    weight: Any
    bias: Any
    number: int
    weight_elements: int
    elements: int


@triton.jit
def _pixel(index, height, width):
    """The sample, row and column of a pixel; ``index`` counts pixels over a batch."""
    line = index // width
    return (line // height).to(tl.int64), line % height, index % width


@triton.jit
def _term(index, channels, kernel_height, kernel_width, CHANNELS_FASTEST: tl.constexpr):
    """The channel, row and column of a term within a window; consecutive terms are neighbours in memory."""
    if CHANNELS_FASTEST:
        tap = index // channels
        return index % channels, tap // kernel_width, tap % kernel_width
    else:
        line = index // kernel_width
        return line // kernel_height, line % kernel_height, index % kernel_width


@triton.jit
def _correlate_tile(
    scale,
    program,
    ACTIVATION: tl.constexpr,
    BACKWARD: tl.constexpr,
    PRECISION: tl.constexpr,
    CHANNELS_FASTEST: tl.constexpr,
    WIDE: tl.constexpr,
    PIXELS: tl.constexpr,
    MAPS: tl.constexpr,
    TERMS: tl.constexpr,
):
    source, weight, result = scale.source, scale.weight, scale.result
    dtype: tl.constexpr = tl.float64 if source.data.dtype.element_ty == tl.float64 else tl.float32
    map_programs = tl.cdiv(scale.maps, MAPS)
    index = (program // map_programs).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    if not WIDE:
        index = index.to(tl.int32)
    map_ = program % map_programs * MAPS + tl.arange(0, MAPS)
    pixel_mask, map_mask = index < scale.pixels, map_ < scale.maps
    sample, row, column = _pixel(index, scale.height, scale.width)
    window = sample * source.outer + row * source.row + column * source.column
    terms = scale.channels * scale.kernel_height * scale.kernel_width
    total = tl.zeros((PIXELS, MAPS), dtype)
    for start in range(0, terms, TERMS):
        term = start + tl.arange(0, TERMS)
        channel, down, right = _term(
            term, scale.channels, scale.kernel_height, scale.kernel_width, CHANNELS_FASTEST
        )
        term_mask = term < terms
        mask = pixel_mask[:, None] & term_mask[None, :]
        weight_offset = channel.to(tl.int64) * weight.channel + down * weight.row + right * weight.column
        if BACKWARD:
            down, right = -down, -right
            at_row, at_column = row[:, None] + down[None, :], column[:, None] + right[None, :]
            mask &= (at_row >= 0) & (at_row < scale.source_height)
            mask &= (at_column >= 0) & (at_column < scale.source_width)
        offset = channel.to(tl.int64) * source.channel + down * source.row + right * source.column
        values = tl.load(source.data + window[:, None] + offset[None, :], mask, 0.0)
        if scale.output is not None:
            output = scale.output
            offset = channel.to(tl.int64) * output.channel + down * output.row + right * output.column
            at = sample * output.outer + row * output.row + column * output.column
            y = tl.load(output.data + at[:, None] + offset[None, :], mask, 0.0)
            values = activation_gradient(values, y, ACTIVATION)
        weights = tl.load(
            weight.data + weight_offset[:, None] + map_[None, :].to(tl.int64) * weight.outer,
            term_mask[:, None] & map_mask[None, :],
            0.0,
        )
        total = product(values, weights, total, PRECISION)
    if scale.bias is not None:
        total += tl.load(scale.bias + map_, map_mask, 0.0).to(dtype)[None, :]
    if not BACKWARD:
        total = activate(total, ACTIVATION)
    at = sample * result.outer + row * result.row + column * result.column
    tl.store(
        result.data + at[:, None] + map_[None, :].to(tl.int64) * result.channel,
        total.to(result.data.dtype.element_ty),
        pixel_mask[:, None] & map_mask[None, :],
    )


@triton.jit
def correlate(
    scales,
    starts,
    COUNT: tl.constexpr,
    ACTIVATION: tl.constexpr,
    BACKWARD: tl.constexpr,
    PRECISION: tl.constexpr,
    FORMS: tl.constexpr,
):
    """Computes a tile of pixels and maps in each program; scale i has the programs from starts[i] on."""
    program = tl.program_id(0)
    for i in tl.static_range(COUNT):
        if (program >= starts[i]) & (program < starts[i + 1]):
            _correlate_tile(
                scales[i],
                program - starts[i],
                ACTIVATION,
                BACKWARD,
                PRECISION,
                FORMS[i][0],
                FORMS[i][1],
                FORMS[i][2],
                FORMS[i][3],
                FORMS[i][4],
            )


@triton.jit
def _weight_gradient_tile(
    scale,
    program,
    ACTIVATION: tl.constexpr,
    PRECISION: tl.constexpr,
    CHANNELS_FASTEST: tl.constexpr,
    WIDE: tl.constexpr,
    MAPS: tl.constexpr,
    TERMS: tl.constexpr,
    PIXELS: tl.constexpr,
):
    input, grad_output = scale.input, scale.grad_output
    dtype: tl.constexpr = tl.float64 if input.data.dtype.element_ty == tl.float64 else tl.float32
    terms = scale.channels * scale.kernel_height * scale.kernel_width
    term_programs = tl.cdiv(terms, TERMS)
    if scale.weight is None:
        term_programs = 1
    part = program % scale.parts
    tile = program // scale.parts
    map_ = tile // term_programs * MAPS + tl.arange(0, MAPS)
    term = tile % term_programs * TERMS + tl.arange(0, TERMS)
    map_mask, term_mask = map_ < scale.maps, term < terms
    channel, down, right = _term(
        term, scale.channels, scale.kernel_height, scale.kernel_width, CHANNELS_FASTEST
    )
    offset = channel.to(tl.int64) * input.channel + down * input.row + right * input.column
    total = tl.zeros((MAPS, TERMS), dtype)
    of_bias = tl.zeros((MAPS,), dtype)
    first = part.to(tl.int64) * scale.part_pixels
    if not WIDE:
        first = first.to(tl.int32)
    for start in range(0, scale.part_pixels, PIXELS):
        index = first + start + tl.arange(0, PIXELS)
        pixel_mask = (index < scale.pixels) & (index < first + scale.part_pixels)
        sample, row, column = _pixel(index, scale.height, scale.width)
        mask = map_mask[:, None] & pixel_mask[None, :]
        at = sample * grad_output.outer + row * grad_output.row + column * grad_output.column
        gradient = tl.load(
            grad_output.data + map_[:, None].to(tl.int64) * grad_output.channel + at[None, :], mask, 0.0
        )
        if scale.output is not None:
            output = scale.output
            at = sample * output.outer + row * output.row + column * output.column
            y = tl.load(output.data + map_[:, None].to(tl.int64) * output.channel + at[None, :], mask, 0.0)
            gradient = activation_gradient(gradient, y, ACTIVATION)
        if scale.bias is not None:
            of_bias += tl.sum(gradient.to(dtype), 1)
        if scale.weight is not None:
            at = sample * input.outer + row * input.row + column * input.column
            values = tl.load(
                input.data + at[:, None] + offset[None, :], pixel_mask[:, None] & term_mask[None, :], 0.0
            )
            total = product(gradient, values, total, PRECISION)
    if scale.weight is not None:
        weight = scale.weight
        offset = channel.to(tl.int64) * weight.channel + down * weight.row + right * weight.column
        offset += part.to(tl.int64) * scale.part_elements
        tl.store(
            weight.data + map_[:, None].to(tl.int64) * weight.outer + offset[None, :],
            total.to(weight.data.dtype.element_ty),
            map_mask[:, None] & term_mask[None, :],
        )
    if scale.bias is not None:
        tl.store(
            scale.bias + part.to(tl.int64) * scale.part_elements + map_,
            of_bias.to(scale.bias.dtype.element_ty),
            map_mask & (tile % term_programs == 0),
        )


@triton.jit
def weight_gradients(
    scales,
    starts,
    COUNT: tl.constexpr,
    ACTIVATION: tl.constexpr,
    PRECISION: tl.constexpr,
    FORMS: tl.constexpr,
):
    """Computes, in each program, a tile of maps and terms of a window over one part of the pixels."""
    program = tl.program_id(0)
    for i in tl.static_range(COUNT):
        if (program >= starts[i]) & (program < starts[i + 1]):
            _weight_gradient_tile(
                scales[i],
                program - starts[i],
                ACTIVATION,
                PRECISION,
                FORMS[i][0],
                FORMS[i][1],
                FORMS[i][2],
                FORMS[i][3],
                FORMS[i][4],
            )


@triton.jit
def _add_block(scale, program, BLOCK: tl.constexpr):
    at = program.to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = at < scale.elements
    total = tl.zeros((BLOCK,), scale.parts.dtype.element_ty)
    for part in range(scale.number):
        total += tl.load(scale.parts + tl.cast(part, tl.int64) * scale.elements + at, mask, 0.0)
    of_weight = at < scale.weight_elements
    if scale.weight is not None:
        tl.store(scale.weight + at, total.to(scale.weight.dtype.element_ty), mask & of_weight)
    if scale.bias is not None:
        of_bias = scale.bias + (at - scale.weight_elements)
        tl.store(of_bias, total.to(scale.bias.dtype.element_ty), mask & (at >= scale.weight_elements))


@triton.jit
def add_parts(scales, starts, COUNT: tl.constexpr, BLOCK: tl.constexpr):
    """Adds parts in order, and rounds the sums once."""
    program = tl.program_id(0)
    for i in tl.static_range(COUNT):
        if (program >= starts[i]) & (program < starts[i + 1]):
            _add_block(scales[i], program - starts[i], BLOCK)

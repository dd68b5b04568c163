"""The ladder family's operators in Triton: ``ebgan_kernels::<name>_triton`` for every schema of the family.

Rows are cut into blocks by a rule on the sizes alone. A block writes its sums over rows, 12 numbers for each
unit, and a second kernel adds them up. The kernels read incoming gradients, so nothing waits for the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triton
from torch import Tensor

from ebgan_kernels.native.ladder import FAKES, SCHEMAS
from ebgan_kernels.native.library import of_all
from ebgan_kernels.reference.dtypes import accumulation_dtype
from ebgan_kernels.triton import ladder_kernels as kernels
from ebgan_kernels.triton import ladder_layer  # noqa: F401, registers the layer's operators
from ebgan_kernels.triton.ladder_kernels import SUMS, Extent, Rows
from ebgan_kernels.triton.launch import block_of, operator, warps_of

# A block of 8 x 64 float32 numbers is 4 for each thread of 4 warps, one 128-bit access. The ten parameters
# and twelve sums of 4 units fill 88 registers.
ROWS, BYTES_OF_UNITS, WARPS = 8, 256, 4
# The sums of a block of 64 rows add a fifth to the traffic. Blocks are smaller where there would be fewer
# programs than this; the number was not measured.
MOST_ITERATIONS, ENOUGH_PROGRAMS = 8, 1024
LARGEST_BLOCK = 1024


def _units_of(tensor: Tensor) -> int:
    return BYTES_OF_UNITS // accumulation_dtype(tensor).itemsize


def _networks(z: Tensor) -> int:
    return z.shape[:-2].numel()


def _cut(z: Tensor) -> tuple[Extent, dict[str, int]]:
    """The extent of z, and the constants of a launch over it."""
    rows, units = z.shape[-2:]
    width = _units_of(z)
    unit_blocks = triton.cdiv(units, width)
    iterations = 1
    while (
        iterations < MOST_ITERATIONS
        and _networks(z) * unit_blocks * triton.cdiv(rows, 2 * iterations * ROWS) >= ENOUGH_PROGRAMS
    ):
        iterations *= 2
    extent = Extent(rows, units, triton.cdiv(rows, iterations * ROWS), unit_blocks)
    return extent, {"ROWS": ROWS, "UNITS": width, "ITERATIONS": iterations, "num_warps": WARPS}


def _rows(tensor: Tensor | None, leading: int) -> Rows:
    """The rows of (..., N, D), or of (..., D) as one row; without data where there is no tensor."""
    if tensor is None:
        return Rows(None, 0, 0)
    has_rows = tensor.dim() > leading + 1
    return Rows(
        tensor, tensor.stride(leading - 1) if leading else 0, tensor.stride(leading) if has_rows else 0
    )


def _total(
    sums: Tensor,
    z: Tensor,
    extent: Extent,
    gradients: Sequence[Tensor | None],
    scale: Tensor | None,
    filled: bool,
) -> None:
    """Adds the sums of blocks to the gradients of parameters, mean and std, where they are wanted."""
    if any(gradient is not None for gradient in gradients):
        iterations = triton.next_power_of_2(triton.cdiv(extent.row_blocks, ROWS))
        kernels.total_sums[(_networks(z) * SUMS.value * extent.unit_blocks,)](
            sums,
            *gradients,
            scale,
            scale.stride(0) if scale is not None and scale.dim() else 0,
            extent,
            FILLED=filled,
            ROWS=ROWS,
            UNITS=_units_of(z),
            ITERATIONS=iterations,
            num_warps=WARPS,
        )


def _empty_sums(z: Tensor, extent: Extent) -> Tensor:
    shape = (_networks(z), extent.row_blocks, SUMS.value, extent.units)
    return z.new_empty(shape, dtype=accumulation_dtype(z))


@operator("gaussian_combinator", SCHEMAS, FAKES)
def gaussian_combinator(z_hat: Tensor, z: Tensor, u: Tensor, parameters: Tensor) -> None:
    extent, constants = _cut(z)
    if z.numel():
        kernels.combine[(_networks(z) * extent.row_blocks * extent.unit_blocks,)](
            *(_rows(tensor, z.dim() - 2) for tensor in (z, u, parameters, z_hat)), extent, **constants
        )


@operator("gaussian_combinator_backward", SCHEMAS, FAKES)
def gaussian_combinator_backward(
    gradients: Sequence[Tensor],
    grad: Tensor,
    z: Tensor,
    u: Tensor,
    parameters: Tensor,
    needed: int,
) -> None:
    if not z.numel():
        for gradient in gradients:
            gradient.zero_()
        return
    extent, constants = _cut(z)
    grad_z, grad_u, grad_parameters = of_all(gradients, needed, 3)
    sums = _empty_sums(z, extent) if grad_parameters is not None else None
    kernels.combine_backward[(_networks(z) * extent.row_blocks * extent.unit_blocks,)](
        *(_rows(tensor, z.dim() - 2) for tensor in (grad, z, u, parameters, grad_z, grad_u)),
        sums,
        extent,
        **constants,
    )
    if sums is not None:
        _total(sums, z, extent, (grad_parameters, None, None), None, False)


def _cost(
    inputs: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    squares: Tensor | None,
    scale: Tensor | None,
    filled: bool,
) -> None:
    """Fills the gradients that are not None, and the sums of r^2 where ``squares`` is given."""
    z = inputs[1]
    extent, constants = _cut(z)
    sums = _empty_sums(z, extent) if any(gradient is not None for gradient in gradients) else None
    kernels.denoising_cost[(_networks(z) * extent.row_blocks * extent.unit_blocks,)](
        *(_rows(tensor, z.dim() - 2) for tensor in (*inputs, *gradients[:3])),
        sums,
        squares,
        scale,
        scale.stride(0) if scale is not None and scale.dim() else 0,
        extent,
        FILLED=filled,
        **constants,
    )
    if sums is not None:
        _total(sums, z, extent, gradients[3:], scale, filled)


@operator("ladder_denoising_cost", SCHEMAS, FAKES)
def ladder_denoising_cost(outputs: tuple[Tensor, list[Tensor]], *arguments: Any) -> None:
    cost, gradients = outputs
    *inputs, needed = arguments
    z = inputs[1]
    if not z.numel():
        for gradient in gradients:
            gradient.zero_()
        cost.fill_(float("nan"))
        return
    extent, _ = _cut(z)
    blocks = extent.row_blocks * extent.unit_blocks
    squares = cost.new_empty(_networks(z) * blocks)
    _cost(inputs, of_all(gradients, needed, 6), squares, None, False)
    block = block_of(blocks, LARGEST_BLOCK)
    kernels.total_squares[(_networks(z),)](
        squares,
        cost,
        blocks,
        extent,
        ITERATIONS=triton.next_power_of_2(triton.cdiv(blocks, block)),
        BLOCK=block,
        num_warps=warps_of(block, cost.dtype),
    )


@operator("ladder_denoising_cost_backward_", SCHEMAS, FAKES)
def ladder_denoising_cost_backward_(gradients: Sequence[Tensor], grad_cost: Tensor, *arguments: Any) -> None:
    *inputs, needed, filled = arguments
    if inputs[1].numel():
        _cost(inputs, of_all(gradients, needed, 6), None, grad_cost, filled)
        return
    for gradient in gradients:
        gradient.zero_()

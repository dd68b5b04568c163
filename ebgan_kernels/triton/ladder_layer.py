"""The step between two dense layers of a ladder network in Triton; ``ladder`` imports this module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triton
from torch import Tensor

from ebgan_kernels.native.ladder import FAKES, SCHEMAS
from ebgan_kernels.native.library import of_all
from ebgan_kernels.reference.dtypes import accumulation_dtype
from ebgan_kernels.triton import ladder_layer_kernels as kernels
from ebgan_kernels.triton.ladder_layer_kernels import LayerExtent, Parts
from ebgan_kernels.triton.launch import operator

# A block of 32 x 32 float32 numbers is 8 for each thread of 4 warps: four tensors and four sums of them fill
# 64 registers. A hundred rows are four blocks.
ROWS, BYTES_OF_UNITS, WARPS = 32, 128, 4
# The number of blocks of rows that are added up in float32 before their sum goes on in float64.
MOST_INNER = 8


def _cut(x: Tensor) -> tuple[LayerExtent, dict[str, int]]:
    """The extent of x, and the constants of a launch over it."""
    parts, rows, units = x.shape[-3:]
    width = BYTES_OF_UNITS // accumulation_dtype(x).itemsize
    blocks = triton.next_power_of_2(triton.cdiv(rows, ROWS))
    inner = min(blocks, MOST_INNER)
    constants = {"ROWS": ROWS, "UNITS": width, "INNER": inner, "OUTER": blocks // inner, "num_warps": WARPS}
    return LayerExtent(parts, rows, units, triton.cdiv(units, width)), constants


def _parts(tensor: Tensor | None, leading: int) -> Parts:
    """The parts of (..., P, N, D), of (..., P, D) as one row each, or of (..., D) as one row of all."""
    if tensor is None:
        return Parts(None, 0, 0, 0)
    axes = tensor.dim() - leading
    return Parts(
        tensor,
        tensor.stride(leading - 1) if leading else 0,
        tensor.stride(leading) if axes > 1 else 0,
        tensor.stride(leading + 1) if axes > 2 else 0,
    )


@operator("ladder_layer", SCHEMAS, FAKES)
def ladder_layer(
    outputs: Sequence[Tensor],
    x: Tensor,
    noise: Tensor | None,
    beta: Tensor | None,
    gamma: Tensor | None,
    relu: bool,
) -> None:
    extent, constants = _cut(x)
    z, mean, std, *h = outputs
    tensors = (x, noise, beta, gamma, z, h[0] if h else None, mean, std)
    if x.numel():
        kernels.forward[(x.shape[:-2].numel() * extent.unit_blocks,)](
            *(_parts(tensor, x.dim() - 3) for tensor in tensors), extent, RELU=relu, **constants
        )


@operator("ladder_layer_backward", SCHEMAS, FAKES)
def ladder_layer_backward(gradients: Sequence[Tensor], *arguments: Any) -> None:
    *incoming_and_inputs, relu, needed = arguments
    x = incoming_and_inputs[4]
    extent, constants = _cut(x)
    if not x.numel():
        for gradient in gradients:
            gradient.zero_()
        return
    together = extent.parts if needed >> 1 else 1
    tensors = (*incoming_and_inputs, *of_all(gradients, needed, 3))
    kernels.backward[(x.shape[:-2].numel() // together * extent.unit_blocks,)](
        *(_parts(tensor, x.dim() - 3) for tensor in tensors),
        extent,
        RELU=relu,
        TOGETHER=together,
        **constants,
    )

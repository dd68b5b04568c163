"""The step between two dense layers of a ladder network in Triton; ``ladder`` imports this module."""

from __future__ import annotations

import triton
from torch import Tensor

from ebgan_kernels.native.ladder import FAKES, SCHEMAS, packed_gradient
from ebgan_kernels.native.library import accumulation_dtype
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
    if tensor is None or not tensor.numel():
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
    x: Tensor, noise: Tensor | None, beta: Tensor | None, gamma: Tensor | None, relu: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    extent, constants = _cut(x)
    leading = x.dim() - 3
    statistics = (*x.shape[:-2], extent.units)
    z = packed_gradient(x, True)
    h = packed_gradient(x, relu or beta is not None or gamma is not None)
    mean = x.new_empty(statistics, dtype=accumulation_dtype(x))
    std = mean.new_empty(statistics)
    if x.numel():
        kernels.forward[(x.shape[:-2].numel() * extent.unit_blocks,)](
            *(_parts(tensor, leading) for tensor in (x, noise, beta, gamma, z, h, mean, std)),
            extent,
            RELU=relu,
            **constants,
        )
    return z, h, mean, std


@operator("ladder_layer_backward", SCHEMAS, FAKES)
def ladder_layer_backward(
    grad_z: Tensor | None,
    grad_h: Tensor | None,
    grad_mean: Tensor | None,
    grad_std: Tensor | None,
    x: Tensor,
    noise: Tensor | None,
    beta: Tensor | None,
    gamma: Tensor | None,
    mean: Tensor,
    std: Tensor,
    relu: bool,
    need_x: bool,
    need_beta: bool,
    need_gamma: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    extent, constants = _cut(x)
    leading = x.dim() - 3
    gradients = (
        packed_gradient(x, need_x),
        packed_gradient(x if beta is None else beta, need_beta),
        packed_gradient(x if gamma is None else gamma, need_gamma),
    )
    if not x.numel():
        for gradient in gradients[1:]:
            gradient.zero_()
        return gradients
    together = extent.parts if need_beta or need_gamma else 1
    tensors = (grad_z, grad_h, grad_mean, grad_std, x, noise, beta, gamma, mean, std, *gradients)
    kernels.backward[(x.shape[:-2].numel() // together * extent.unit_blocks,)](
        *(_parts(tensor, leading) for tensor in tensors),
        extent,
        RELU=relu,
        TOGETHER=together,
        **constants,
    )
    return gradients

"""``ebgan_kernels::scale_gradients__triton`` multiplies gradients by a scale in place, for every family.

An element of b bytes takes 2 b bytes of traffic; where the scale is 1, only the scale is read. A scale of
several numbers scales as many equal parts of the memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import triton
import triton.language as tl
from torch import Tensor

from ebgan_kernels.native.gradient import FAKES, SCHEMAS
from ebgan_kernels.triton.launch import operator, warps_of

BLOCK = 4096


@triton.jit
def scale_kernel(gradient, scale, scale_stride, elements, blocks, BLOCK: tl.constexpr):
    """Scales a block of one part, which has ``elements`` elements in ``blocks`` blocks."""
    program = tl.program_id(0).to(tl.int64)
    part = program // blocks
    factor = tl.load(scale + part * scale_stride)
    if factor == 1:
        return
    start = program % blocks * BLOCK
    lanes = tl.arange(0, BLOCK)
    mask = lanes < elements - start
    values = gradient + (part * elements + start)
    value = tl.load(values + lanes, mask).to(scale.dtype.element_ty) * factor
    tl.store(values + lanes, value.to(gradient.dtype.element_ty), mask)


@operator("scale_gradients_", SCHEMAS, FAKES)
def scale_gradients_(gradients: Sequence[Tensor], scale: Tensor) -> None:
    parts = scale.numel()
    stride = scale.stride(0) if scale.dim() else 0
    for gradient in gradients:
        elements = gradient.numel() // max(parts, 1)
        blocks = triton.cdiv(elements, BLOCK)
        if blocks:
            scale_kernel[(parts * blocks,)](
                gradient, scale, stride, elements, blocks, BLOCK=BLOCK, num_warps=warps_of(BLOCK, scale.dtype)
            )

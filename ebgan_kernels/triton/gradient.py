"""``ebgan_kernels::scale_gradient__triton``: gradient *= scale in place, for every family.

2 b bytes an element of b bytes; 4 in all, for the scale, where it is 1.
"""

from __future__ import annotations

import triton
import triton.language as tl
from torch import Tensor

from ebgan_kernels.native.gradient import FAKES, SCHEMAS
from ebgan_kernels.triton.launch import operator, warps_of

BLOCK = 4096


@triton.jit
def scale_kernel(gradient, scale, elements, BLOCK: tl.constexpr):
    factor = tl.load(scale)
    if factor == 1:
        return
    start = tl.program_id(0).to(tl.int64) * BLOCK
    lanes = tl.arange(0, BLOCK)
    mask = lanes < elements - start
    value = tl.load(gradient + start + lanes, mask).to(scale.dtype.element_ty) * factor
    tl.store(gradient + start + lanes, value.to(gradient.dtype.element_ty), mask)


@operator("scale_gradient_", SCHEMAS, FAKES)
def scale_gradient_(gradient: Tensor, scale: Tensor) -> None:
    elements = gradient.numel()
    scale_kernel[(triton.cdiv(elements, BLOCK),)](
        gradient, scale, elements, BLOCK=BLOCK, num_warps=warps_of(BLOCK, scale.dtype)
    )

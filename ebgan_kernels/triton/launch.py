"""Functions that every Triton operator shares: registration, and the rules that pick blocks and warps.

The rules are plain functions of sizes, and not ``@triton.autotune``. Autotuning times candidates, so it
synchronises, cannot run inside a CUDA graph capture, may choose differently on each run, which changes the
order of sums, and needs a driver even in the interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
import triton
from torch import Tensor

from ebgan_kernels.native.library import NAMESPACE

# The bytes of a block for each thread, in the accumulation dtype: 16 float32 numbers, which are four 128-bit
# loads in flight for each input.
BYTES_PER_THREAD = 64
THREADS_PER_WARP = 32
# A multiprocessor has four schedulers, of which fewer than four warps leave one idle. With 32 warps ptxas
# aims at 32 registers a thread, to fit two blocks, and spills (bfloat16, sm_80, Triton 3.7.1); with 16 it
# does not.
SMALLEST_BLOCK, FEWEST_WARPS, MOST_WARPS = 256, 4, 16


def operator(
    name: str, schemas: Mapping[str, str], fakes: Mapping[str, Callable[..., Any]]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as ``ebgan_kernels::<name>_triton``, with the schema and fake kernel of that name.

    The function takes what the operator returns, which the fake kernel makes, before the operator's
    arguments, and fills it; where nothing is returned, it takes the arguments alone. Its kernels are launched
    on the device of the first tensor, whichever device is current. The operator is a ``custom_op``, which is
    opaque to torch.compile; a ``triton_op``, into which Inductor sees, fails in the interpreter.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        def on_device_of_first(*arguments: Any) -> Any:
            lists = (
                argument if isinstance(argument, (list, tuple)) else [argument] for argument in arguments
            )
            first = next(item for items in lists for item in items if isinstance(item, Tensor))
            with torch.cuda.device(first.get_device()):
                outputs = fakes[name](*arguments)
                function(*(() if outputs is None else (outputs,)), *arguments)
            return outputs

        definition = torch.library.custom_op(
            f"{NAMESPACE}::{name}_triton",
            on_device_of_first,
            mutates_args=re.findall(r"!\)(?:\[\])? (\w+)", schemas[name]),
            schema=schemas[name],
        )
        definition.register_fake(fakes[name])
        return function

    return register


def block_of(elements: int, largest: int) -> int:
    """The power of two that holds ``elements``, within the limits of a block."""
    block: int = triton.next_power_of_2(elements)
    return min(max(block, SMALLEST_BLOCK), largest)


def warps_of(block: int, dtype: torch.dtype) -> int:
    threads = block * dtype.itemsize // BYTES_PER_THREAD
    return min(max(threads // THREADS_PER_WARP, FEWEST_WARPS), MOST_WARPS)

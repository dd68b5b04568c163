"""The choice of the engine that convolves a layer.

On CUDA the automatic choice is the fastest engine in ``engines.json``: cuDNN, the CUDA kernels or Triton. The
benchmark ``python -m benchmarks.valid_conv_engines`` writes that file on the device that it measures, from
the time of a forward and backward pass with ReLU. A device or a layer that the file does not hold takes
cuDNN, and ``backend_report`` says so.

On a CPU the engine is oneDNN, which torch's convolution calls, except for the small channels-last layers of
:func:`rows_win`.
"""

from __future__ import annotations

import functools
import json
import pathlib
from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import Tensor

from ebgan_kernels.native.valid_conv import channels_last

TABLE = pathlib.Path(__file__).with_name("engines.json")
Engine = Literal["cudnn", "cuda", "triton"]


def layer_key(input: Tensor, weight: Tensor, dtype: torch.dtype) -> str:
    """The name of a layer in the file, without its batch.

    "float32 contiguous 15x4x4 64x3x3" convolves 15 channels of 4 x 4 pixels into 64 maps with 3 x 3 kernels.
    """
    layout = "channels_last" if channels_last(input) else "contiguous"
    shapes = (input.shape[1:], (weight.shape[0], *weight.shape[2:]))
    return " ".join(
        [str(dtype).removeprefix("torch."), layout, *("x".join(map(str, shape)) for shape in shapes)]
    )


@functools.cache
def measured() -> Mapping[str, Any]:
    """The content of the file: for each device "date", "torch", "commit" and "layers".

    "layers" holds for each key of a layer the fastest engine at each batch size.
    """
    return json.loads(TABLE.read_text()) if TABLE.is_file() else {}


# The file is read once, as a constant, so that torch.compile does not trace the opening of a file.
measured._dynamo_marked_constant = True  # type: ignore[attr-defined]


def cuda_engine(input: Tensor, weight: Tensor, dtype: torch.dtype) -> Engine:
    """The fastest engine for a layer that computes in ``dtype``, as measured at the nearest batch size."""
    tables = measured()
    if not tables:
        return "cudnn"
    layers = tables.get(torch.cuda.get_device_name(input.device), {}).get("layers", {})
    by_batch = layers.get(layer_key(input, weight, dtype))
    if by_batch is None:
        return "cudnn"
    engine: Engine = by_batch[min(by_batch, key=lambda batch: abs(int(batch) - input.shape[0]))]
    return engine


def rows_win(input: Tensor, weight: Tensor) -> bool:
    """Whether gathering windows into rows of one matrix product is faster than oneDNN.

    That is so for channels-last float32 layers of fewer windows than maps. A window of a channels-last image
    consists of runs of whole pixels, so gathering is cheap; most of the memory traffic is then the weights',
    which oneDNN reorders three times a step. Forward and backward with ReLU at batch 8, against torch's
    convolution of the same layout, are 1.2 times as fast for 15 -> 64, 3x3 of 4x4, and 1.4 times for 256 ->
    256, 5x5 of 8x8; with as many windows as maps 0.9 times (Xeon with AVX-512, 2 cores, torch 2.13,
    2026-11-25). Contiguous layers stay with torch's convolution, and so keep its bits.
    """
    maps, _, rows, columns = weight.shape
    samples, _, height, width = input.shape
    windows = samples * (height - rows + 1) * (width - columns + 1)
    return windows < maps and input.dtype == torch.float32 and channels_last(input)


def report() -> str:
    """The line of ``backend_report`` that says which measurements the choice on CUDA rests on."""
    known = ", ".join(f"{device} ({table['date']})" for device, table in measured().items())
    if not known:
        return (
            "no CUDA device has been measured, so torch's cuDNN convolves there unless a backend is"
            " requested; to measure one, in a checkout: python -m benchmarks.valid_conv_engines"
        )
    return f"the fastest engine, layer by layer, as measured on {known}; cuDNN on other devices and layers"

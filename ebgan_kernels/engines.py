"""Which engine convolves: what was measured, layer by layer.

On CUDA the automatic choice for a layer is the fastest engine in ``engines.json``, which
``python -m benchmarks.valid_conv_engines`` writes on the device it measures: forward and backward
with ReLU, cuDNN or one of ours. A device or a layer that is not in it takes cuDNN, and the report says so.

On a CPU the engine is oneDNN, which torch's convolution calls, but for the small channels-last layers of
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
    """A layer, whatever its batch: "float32 contiguous 15x4x4 64x3x3": 15 channels of 4x4 pixels, 64 maps."""
    layout = "channels_last" if channels_last(input) else "contiguous"
    shapes = (input.shape[1:], (weight.shape[0], *weight.shape[2:]))
    return " ".join(
        [str(dtype).removeprefix("torch."), layout, *("x".join(map(str, shape)) for shape in shapes)]
    )


@functools.cache
def measured() -> Mapping[str, Any]:
    """By device: "date", "torch", "commit", and "layers": by key the engine at each batch size."""
    return json.loads(TABLE.read_text()) if TABLE.is_file() else {}


# Read once, as a constant: torch.compile need not see a file being opened.
measured._dynamo_marked_constant = True  # type: ignore[attr-defined]


def cuda_engine(input: Tensor, weight: Tensor, dtype: torch.dtype) -> Engine:
    """The fastest that computes in ``dtype``, at the measured batch size that is nearest."""
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
    """Whether, of channels-last float32 input, windows gathered to rows and one matrix product win.

    A window of a channels-last image is runs of whole pixels. Where there are fewer windows than maps, the
    weights are what must be moved, and oneDNN reorders them three times a step. Forward and backward with
    ReLU at batch 8, against torch's convolution of the same layout: 1.2 times as fast for 15 -> 64, 3x3 of
    4x4, 1.4 for 256 -> 256, 5x5 of 8x8; with as many windows as maps 0.9 (Xeon with AVX-512, 2 cores, torch
    2.13, 2026-11-25). What is contiguous keeps the bits of torch's own convolution.
    """
    maps, _, rows, columns = weight.shape
    samples, _, height, width = input.shape
    windows = samples * (height - rows + 1) * (width - columns + 1)
    return windows < maps and input.dtype == torch.float32 and channels_last(input)


def report() -> str:
    """What the choice on CUDA rests on, in one line."""
    known = ", ".join(f"{device} ({table['date']})" for device, table in measured().items())
    if not known:
        return (
            "no CUDA device was measured: there torch's cuDNN convolves unless ours is insisted on; measure"
            " with python -m benchmarks.valid_conv_engines"
        )
    return f"the fastest engine, layer by layer, as measured on {known}; cuDNN on other devices and layers"

"""Checks of the valid convolutions' arguments; ``ebgan_kernels.checks`` holds what all families share."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ebgan_kernels.checks import FLOATING, check_floating, check_together, is_dense
from ebgan_kernels.reference.dtypes import autocast_dtype


def check_sizes(*sizes: Sequence[object]) -> None:
    """Checks that a module of several scales has the channels and kernels of each."""
    if len({len(each) for each in sizes}) > 1 or not sizes[0]:
        inputs, outputs, kernels = map(len, sizes)
        raise ValueError(
            f"in_channels has {inputs} values, out_channels {outputs} and kernel_sizes {kernels}; pass one"
            " of each for every scale, and at least one"
        )


def check_layers(
    inputs: Sequence[Tensor], weights: Sequence[Tensor], biases: Sequence[Tensor | None], *, lists: bool
) -> None:
    """Checks the layers of all scales, which share one device and, except under autocast, one dtype.

    ``lists`` says whether the caller passed lists, which messages then index.
    """
    if not lists or (not isinstance(inputs, Tensor) and 0 < len(inputs) == len(weights) == len(biases)):
        first = inputs[0]
        for layer in zip(inputs, weights, biases, strict=True):
            if not _is_layer(*layer, first):
                break
        else:
            return
    elif isinstance(inputs, Tensor) or len(inputs) == 0:
        came = "a tensor" if isinstance(inputs, Tensor) else "empty"
        raise ValueError(f"inputs is {came}; it must be a list of one tensor a scale")
    else:
        raise ValueError(
            f"inputs has {len(inputs)} tensors, weights {len(weights)} and biases {len(biases)}; pass equally"
            " many of each, with None for a layer without a bias"
        )
    names = ("inputs[{}]", "weights[{}]", "biases[{}]") if lists else ("input", "weight", "bias")
    for scale, layer in enumerate(zip(inputs, weights, biases, strict=True)):
        _check_layer(layer, [name.format(scale) for name in names], first, names[0].format(0))


def _is_layer(input: Tensor, weight: Tensor, bias: Tensor | None, first: Tensor) -> bool:
    """Whether the three tensors make a layer on the device and in the dtype of ``first``."""
    tensors = (input, weight) if bias is None else (input, weight, bias)
    for tensor in tensors:
        if not isinstance(tensor, Tensor) or not is_dense(tensor) or tensor.device != first.device:
            return False
        if tensor.dtype is not first.dtype or tensor.dtype not in FLOATING:
            return False
    if input.dim() != 4 or weight.dim() != 4:
        return False
    (_, channels, height, width), (maps, of_weight, rows, columns) = input.shape, weight.shape
    return (
        channels == of_weight > 0
        and maps > 0
        and height >= rows > 0
        and width >= columns > 0
        and (bias is None or bias.shape == (maps,))
    )


def _check_layer(
    layer: tuple[Tensor, Tensor, Tensor | None], names: Sequence[str], first: Tensor, first_name: str
) -> None:
    input, weight, bias = layer
    input_name, weight_name, bias_name = names
    check_floating(input_name, input)
    check_floating(weight_name, weight)
    if bias is not None:
        check_floating(bias_name, bias)
    for name, tensor, axes in ((input_name, input, "(N, C, H, W)"), (weight_name, weight, "(O, C, KH, KW)")):
        if tensor.dim() != 4:
            remedy = f": use {name}[None]" if tensor.dim() == 3 else ""
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}; it must be {axes}{remedy}")
    shapes = f"{input_name} has shape {tuple(input.shape)} and {weight_name} {tuple(weight.shape)}"
    if input.shape[1] != weight.shape[1]:
        raise ValueError(f"{shapes}; the second axes, channels, must be equal (there are no groups)")
    if any(size < kernel for size, kernel in zip(input.shape[2:], weight.shape[2:], strict=True)):
        raise ValueError(
            f"{shapes}; without padding the image must be at least as large as the kernel: pad it with"
            " torch.nn.functional.pad, or use larger images"
        )
    if 0 in (*input.shape[1:], *weight.shape):
        raise ValueError(f"{shapes}; no axis but the first of {input_name} may be empty")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(
            f"{bias_name} has shape {tuple(bias.shape)}; it must be ({weight.shape[0]},), one value for each"
            f" map of {weight_name}, or None"
        )
    for name, each in zip(names, layer, strict=True):
        if each is not None:
            _check_beside(first_name, first, name, each)


def _check_beside(first_name: str, first: Tensor, name: str, tensor: Tensor) -> None:
    """Checks that two tensors share a device and, where autocast does not convert them, a dtype."""
    if tensor.device != first.device:
        check_together(first_name, first, name, tensor)
    converts = autocast_dtype(first.device.type) is not None and torch.float64 not in (
        tensor.dtype,
        first.dtype,
    )
    if tensor.dtype != first.dtype and not converts:
        raise TypeError(
            f"{first_name} is {first.dtype} and {name} {tensor.dtype}; a convolution takes one dtype: convert"
            f" one with {name}.to({first_name}.dtype), or use torch.autocast"
        )

"""Checks of arguments that all operator families share.

An error message names the argument, what came, what is allowed, and the remedy. The checks run on every call,
so each first tests everything in one expression, and looks for what is wrong only where that fails.
"""

from __future__ import annotations

import numbers
from collections.abc import Collection

import torch
from torch import Tensor

MIXING = frozenset({torch.float16, torch.bfloat16, torch.float32})
FLOATING = MIXING | {torch.float64}
_STRIDED = torch.strided


def check_option(name: str, value: str, allowed: Collection[str]) -> None:
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")


def is_dense(tensor: Tensor) -> bool:
    """Whether a tensor has sizes and strides: neither sparse nor nested, and not in a layout of oneDNN's."""
    return tensor.layout is _STRIDED and not tensor.is_nested


def check_floating(name: str, tensor: Tensor) -> None:
    """Checks that an argument is a dense tensor of a floating dtype."""
    if not isinstance(tensor, Tensor):
        remedy = f": pass one of its {len(tensor)} fields" if isinstance(tensor, tuple) else ""
        if hasattr(tensor, "reconstruction"):
            remedy = f": pass {name}.reconstruction"
        raise TypeError(f"{name} is {type(tensor).__name__}; it must be a torch.Tensor{remedy}")
    if tensor.is_nested:
        raise TypeError(
            f"{name} is a nested tensor; all its samples must have one shape: pad them with"
            f" torch.nested.to_padded_tensor({name}, 0.0)"
        )
    if not is_dense(tensor):
        raise TypeError(
            f"{name} has the layout {tensor.layout}; it must be dense, torch.strided: convert it with"
            f" {name}.to_dense()"
        )
    if tensor.dtype not in FLOATING:
        if tensor.is_quantized:
            remedy = f"convert it with {name}.dequantize()"
        elif tensor.is_complex():
            remedy = f"pass {name}.real, {name}.abs() or torch.view_as_real({name})"
        else:
            remedy = f"convert it with {name}.float()"
        raise TypeError(
            f"{name} is {tensor.dtype}; it must be float16, bfloat16, float32 or float64: {remedy}"
        )


def check_together(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Checks that two tensors are on one device, and that float64 meets only float64."""
    if first.device != second.device:
        raise ValueError(
            f"{second_name} is on {second.device} and {first_name} on {first.device};"
            f" move one with {second_name}.to({first_name}.device)"
        )
    if (first.dtype == torch.float64) != (second.dtype == torch.float64):
        raise TypeError(
            f"{first_name} is {first.dtype} and {second_name} {second.dtype}; float64 goes only with float64"
            " (float16, bfloat16 and float32 mix freely): convert one of them"
        )


def check_pair(first_name: str, first: Tensor, second_name: str, second: Tensor) -> None:
    """Checks that two tensors are batches of samples (N, ...) of one shape and device, and floating."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        a, b = first.dtype, second.dtype
        if (
            ((a is b and a in FLOATING) or (a in MIXING and b in MIXING))
            and first.layout is second.layout is _STRIDED
            and not (first.is_nested or second.is_nested)
            and first.shape == second.shape
            and first.device == second.device
            and first.dim() > 0
        ):
            return
    check_floating(first_name, first)
    check_floating(second_name, second)
    if first.dim() == 0 or second.dim() == 0:
        name = first_name if first.dim() == 0 else second_name
        raise ValueError(f"{name} has no dimension; it must be a batch of samples (N, ...): use {name}[None]")
    if first.shape != second.shape:
        raise ValueError(
            f"{first_name} has shape {tuple(first.shape)} and {second_name} {tuple(second.shape)};"
            " they must be equal (nothing is broadcast): expand or reshape one of them"
        )
    check_together(first_name, first, second_name, second)


def checked_number(name: str, value: float, allowed: str = "a float") -> float:
    """An option as a Python number: numbers of NumPy are converted, tensors and arrays refused."""
    if isinstance(value, (float, int)):  # a number that torch.compile traces stays what it is
        return value
    if isinstance(value, numbers.Real):
        return float(value)
    remedy = f": pass float({name}), made once" if hasattr(value, "__float__") else ""
    raise TypeError(f"{name} is {type(value).__name__}; it must be {allowed}{remedy}")


def checked_weight(name: str, value: float, allowed: str = "a float") -> float:
    """An option that is 0 or more, as a Python number."""
    value = checked_number(name, value, allowed)
    if not value >= 0:
        raise ValueError(f"{name} is {value}; it must be 0 or more")
    return value

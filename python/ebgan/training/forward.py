"""How forward passes run: their precision, and whether torch.compile compiles them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from types import MethodType
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from ebgan.errors import UserError
from ebgan.training.device import Precision, autocast

Net = TypeVar("Net", bound=nn.Module)
P = ParamSpec("P")
R = TypeVar("R")


def compiled_where(wanted: bool, function: Callable[P, R], device: torch.device) -> Callable[P, R]:
    """`function` compiled by torch.compile, for inputs of one shape, where that is `wanted`.

    Raises:
        UserError: the compiler that torch.compile calls for the device is not there.
    """
    if not wanted:
        return function
    require_compiler(device)
    return torch.compile(function, dynamic=False)


def require_compiler(device: torch.device) -> None:
    """Raise `UserError` unless torch.compile finds what it writes its code for: a C++ compiler or Triton."""
    if device.type == "cuda":
        try:
            import triton  # noqa: F401
        except ImportError:
            raise UserError("compiled: on a GPU torch.compile needs Triton; pip install triton") from None
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        raise UserError(
            f"compiled: torch.compile needs a C++ compiler, and {compiler!r} is not there; install g++, set "
            "the environment variable CXX, or start a run that is not compiled"
        )


def as_trained(net: Net, precision: Precision) -> Net:
    """Make the forward pass of `net` compute in `precision`, as its training did; results stay float32.

    It changes and returns `net`. What torch.compile made of a step is not made again: compiling for each size
    of frame or number of samples takes tens of seconds, and a pass gains a few per cent.

    Example:
        >>> from ebgan.training import as_trained
        >>> net = as_trained(nn.Linear(2, 2), "bfloat16")
        >>> net(torch.ones(1, 2)).dtype
        torch.float32
    """
    if precision == "bfloat16":
        net.forward = MethodType(_forward_in_bfloat16, net)
    return net


def _forward_in_bfloat16(net: nn.Module, *arguments: Any) -> Any:
    with autocast(next(net.parameters()).device, "bfloat16"):
        results = type(net).forward(net, *arguments)
    return tree_map(lambda each: each.float() if isinstance(each, Tensor) else each, results)

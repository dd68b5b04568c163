"""The device of a run, its threads and its precision."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Literal

import torch

from ebgan.errors import UserError

Precision = Literal["float32", "bfloat16"]


def choose_device(name: str = "auto", *, deterministic: bool = False) -> torch.device:
    """The device called `name`; "auto" is CUDA where there is one, else the CPU.

    `deterministic` makes PyTorch's CUDA operators repeat to the bit (a CPU does so anyway, at the same
    thread count), and those that cannot raise.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"device: got {name!r}, allowed are auto, cpu, cuda and cuda:<number>") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        found = torch.cuda.device_count()
        raise UserError(f"device: {name!r} is not there ({found} CUDA devices found); use --device cpu")
    if deterministic:
        # cuBLAS repeats only with a fixed workspace.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    return device


def as_device(device: torch.device | str) -> torch.device:
    """A device that was given as it is or by its name, as `choose_device` takes it."""
    return choose_device(device) if isinstance(device, str) else device


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Within the block PyTorch uses `count` CPU threads; None leaves the choice to it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[object]:
    """The context for forward passes; weights, optimisers and losses stay in float32 in either precision."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()

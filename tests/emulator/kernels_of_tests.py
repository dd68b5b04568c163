"""The kernels that the emulated device's own tests have written, as functions of Python."""

from __future__ import annotations

import contextlib
import ctypes
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from building import KERNELS, compiled_kernels


class EmulationError(RuntimeError):
    """What the emulated device, or the host's part of CUDA, says is wrong with a launch."""


class Kernels:
    """The functions of kernels/<name>.cu, each called by its name with whole numbers and arrays."""

    def __init__(self, name: str) -> None:
        path = pathlib.Path(compiled_kernels("plain", KERNELS / f"{name}.cu"))
        self._library = ctypes.CDLL(str(path))

    def __call__(self, function: str, *arguments: int | np.ndarray[Any, Any]) -> None:
        run = getattr(self._library, function)
        run.restype = ctypes.c_char_p
        converted = [
            argument.ctypes.data_as(ctypes.c_void_p)
            if isinstance(argument, np.ndarray)
            else ctypes.c_int(argument)
            for argument in arguments
        ]
        if message := run(*converted).decode():
            raise EmulationError(message)

    @contextlib.contextmanager
    def seed(self, seed: int) -> Iterator[None]:
        """The order of threads, blocks and copies inside it: 0, in order, is the usual one."""
        set_seed = self._library.emulator_set_seed
        set_seed.argtypes = [ctypes.c_ulong]
        set_seed(seed)
        try:
            yield
        finally:
            set_seed(0)


def aligned(count: int, dtype: Any, bytes_: int = 16) -> np.ndarray[Any, Any]:
    """Zeros that begin at a multiple of so many bytes, as device memory does."""
    size = np.dtype(dtype).itemsize
    memory = np.zeros(count * size + bytes_, np.uint8)
    start = -memory.ctypes.data % bytes_
    return memory[start : start + count * size].view(dtype)

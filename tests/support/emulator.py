"""The emulated device of ``tests/emulator``, as tests see it and set it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator

from ebgan_kernels.native import library


@functools.cache
def emulator() -> ctypes.CDLL:
    """The library that runs the kernels; only where ``library.cuda_is_emulated``."""
    runtime = ctypes.CDLL(str(library.emulated_library()))
    for name in ("emulator_device", "emulator_devices", "emulator_variant", "emulator_counts"):
        if hasattr(runtime, name):
            getattr(runtime, name).restype = ctypes.c_char_p
    return runtime


def devices() -> list[str]:
    """The names of the devices that the library knows; none where the kernels are not emulated."""
    return emulator().emulator_devices().decode().split() if library.cuda_is_emulated else []


@contextlib.contextmanager
def device(name: str) -> Iterator[None]:
    """Launches go to another emulated device meanwhile."""
    before = emulator().emulator_device()
    if not emulator().emulator_use_device(name.encode()):
        raise ValueError(f"the emulator knows no device {name!r}; it has {', '.join(devices())}")
    try:
        yield
    finally:
        emulator().emulator_use_device(before)

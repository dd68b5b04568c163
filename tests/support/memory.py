"""What the C library and Python hold, for tests that nothing is left behind."""

from __future__ import annotations

import ctypes
import gc

import pytest


class MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ["arena", "ordblks", "smblks", "hblks", "hblkhd"]]
    _fields_ += [(name, ctypes.c_size_t) for name in ["usmblks", "fsmblks", "uordblks", "fordblks"]]
    _fields_ += [("keepcost", ctypes.c_size_t)]


needs_counts = pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the C library does not count"
)


def held() -> tuple[int, int]:
    """Bytes that the C library has given out and not got back, and objects that Python's collector knows."""
    gc.collect()
    read = ctypes.CDLL(None).mallinfo2
    read.restype = MallInfo
    info = read()
    return int(info.uordblks + info.hblkhd), len(gc.get_objects())

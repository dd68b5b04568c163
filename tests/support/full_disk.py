"""A disk that takes no more, for whoever runs the tests, root too."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Within the block no file can grow beyond `size` bytes: writing on fails with "File too large"."""
    resource = pytest.importorskip("resource")
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


def full(*_: object) -> NoReturn:
    """What writing does on a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

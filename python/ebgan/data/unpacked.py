"""Unpacking of gzip in memory, up to a limit."""

from __future__ import annotations

import gzip
from io import BytesIO

LIMIT = 1 << 30  # bytes; the largest file of EMNIST takes 547 million, that of NORB 680 million


def unpacked(content: bytes) -> bytes:
    """What the gzipped bytes ``content`` unpack to.

    Raises:
        ValueError: they unpack to more than 1 GiB: a few kilobytes may be made to fill any memory.
        EOFError, OSError, zlib.error: they are cut short or damaged.

    Example:
        >>> unpacked(gzip.compress(b"seven"))
        b'seven'
    """
    with gzip.open(BytesIO(content)) as file:
        plain = file.read(LIMIT + 1)
    if len(plain) > LIMIT:
        raise ValueError(f"unpacks to more than the {LIMIT} bytes that are allowed")
    return plain

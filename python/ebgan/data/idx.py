"""IDX files, the format of MNIST and its relatives, plain or gzipped."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ebgan import host
from ebgan.data.errors import DataError
from ebgan.data.unpacked import unpacked


def read_idx(path: Path, sha256: str | None = None) -> NDArray[Any]:
    """The array in an IDX file; a name that ends in ``.gz`` is decompressed first.

    Args:
        path: the file.
        sha256: what the file's bytes, as they lie on disk, must hash to; None skips the check.

    Returns:
        Array of the file's own shape and type (uint8, int8, int16, int32, float32 or float64), in native byte
        order.

    Raises:
        DataError: the file cannot be read, has another checksum, is cut short, unpacks to more
            than 1 GiB, or is not an IDX file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    if sha256 is not None and (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise DataError(
            f"{path} is damaged or of another release: its SHA-256 is {found}, expected {sha256}; "
            "download it anew"
        )
    if path.suffix == ".gz":
        try:
            content = unpacked(content)
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise DataError(f"{path} cannot be unpacked ({error}); download it anew") from error
    try:
        return host.parse_idx(content)
    except ValueError as error:
        raise DataError(f"{path} is not a valid IDX file: {error}") from error

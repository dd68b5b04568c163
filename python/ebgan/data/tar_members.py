"""The files in a tar, found once and then read from their places in any order."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ebgan.data.errors import DataError, reason

SUFFIX = ".tar"


@dataclass(frozen=True, slots=True)
class TarMember:
    """The place of one file in an uncompressed tar: `size` bytes from `offset` on."""

    tar: Path
    offset: int
    size: int

    def read(self) -> bytes:
        """All bytes of the file; ValueError where the tar ends before them.

        The tar is opened anew, 10 us of a decoding of milliseconds: a thousand shards that stayed open would
        be more than most systems allow a process.
        """
        with self.tar.open("rb", buffering=0) as file:
            file.seek(self.offset)
            content = file.read(self.size)
        if len(content) < self.size:
            raise ValueError(f"{self.tar} ends after {len(content)} of its {self.size} bytes")
        return content


def tar_members(path: Path) -> Iterator[tuple[str, TarMember]]:
    """The names of the files in the tar `path`, in its order, and where each lies.

    Raises:
        DataError: it cannot be read, is compressed or cut short, or holds links or sparse files, which have
            no bytes of their own to read.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if member.islnk() or member.issym() or member.issparse():
                    kind = "a sparse file" if member.issparse() else "a link"
                    raise DataError(
                        f"{path} holds {member.name!r}, {kind}; pack it anew with --dereference "
                        "--hard-dereference and without --sparse"
                    )
                if member.isreg():
                    yield member.name, TarMember(path, member.offset_data, member.size)
            # A header that is cut short looks like the end to `tarfile`, and the rest would be missed.
            with path.open("rb") as file:
                file.seek(archive.offset)
                if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                    raise tarfile.ReadError("no block of zeros at its end")
    except tarfile.TarError as error:
        raise DataError(
            f"{path} is not a whole tar without compression ({reason(error)}); unpack what is compressed, "
            "fetch anew what is cut short"
        ) from error
    except OSError as error:
        raise DataError(f"cannot read {path}: {reason(error)}") from error

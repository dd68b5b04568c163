"""Files that are written whole or not at all, and the words for those that cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ebgan.errors import UserError, reason

StrPath = str | os.PathLike[str]
BLOCK = 4096  # bytes: a full disk takes the name of a new file, and not a block of its content


class UnwritableError(UserError):
    """A file or folder cannot be written; its one line names it, the reason and the remedy."""


@contextmanager
def writing(path: StrPath) -> Iterator[None]:
    """Within the block, an error of the operating system or of FFmpeg is an `UnwritableError` of `path`."""
    try:
        yield
    except Exception as error:
        if isinstance(error, UserError) or getattr(error, "errno", None) is None:
            raise
        in_the_way = isinstance(error, FileExistsError)
        why = "a file is where its folder should be" if in_the_way else reason(error)
        raise UnwritableError(
            f"{path}: cannot be written ({why}); make room there, or choose another folder"
        ) from None


@contextmanager
def replaced(path: StrPath) -> Iterator[Path]:
    """A name to write a new file under, which takes the place of `path` where the block ends well.

    Until then, and after an error, `path` is what it was. Missing folders above it are made.

    Raises:
        UnwritableError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "notes" / "today.txt"
        >>> with replaced(path) as new:
        ...     _ = new.write_text("sunny")
        >>> path.read_text()
        'sunny'
    """
    path = Path(path)
    new = path.with_name(f".new-{path.name}")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield new
            new.replace(path)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)


def require_writable(path: StrPath) -> None:
    """Raise `UnwritableError` now, and not after minutes of work, where `path` cannot be written."""
    trial = Path(path).with_name(f".trial-{Path(path).name}")
    try:
        with writing(path):
            trial.write_bytes(bytes(BLOCK))
    finally:
        with suppress(OSError):
            trial.unlink(missing_ok=True)


class AppendedFile:
    """A file that grows by whole pieces: what cannot be written to its end is taken back.

    Raises:
        UnwritableError: the file cannot be opened.
    """

    def __init__(self, path: StrPath) -> None:
        self.path = Path(path)
        with writing(path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size

    def append(self, piece: bytes) -> None:
        """Append `piece`; an OSError leaves the file as it was."""
        left = memoryview(piece)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(piece)

    def sync(self) -> None:
        """Bring the file to the disk."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

"""Many files read at once, and the words of a warning for those that were left out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ebgan.data.errors import reason
from ebgan.errors import UserError, require

Read = TypeVar("Read")

_NAMED = 3
_THREADS = 8  # decoding runs outside the interpreter lock, opening a file inside it: more would queue there
_PATIENCE_SECONDS = 2  # before the bar appears


def each_file(
    files: Sequence[str], read: Callable[[str], Read], *, title: str, unit: str
) -> Generator[Read | str, None, None]:
    """Yield what ``read`` makes of each file, or the reason why it fails; a bar tells of a long wait."""

    def attempt(file: str) -> Read | str:
        try:
            return read(file)
        except (MemoryError, UserError):
            raise
        except Exception as error:  # the file's fault, by whatever name Pillow, zipfile or FFmpeg call it
            return reason(error)

    pool = ThreadPoolExecutor(_THREADS)
    try:
        yield from require("tqdm").tqdm(
            pool.map(attempt, files),
            desc=title,
            total=len(files),
            unit=unit,
            delay=_PATIENCE_SECONDS,
            disable=None,
        )
    finally:
        pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C the rest is not worth waiting for


def first_few(items: Sequence[str]) -> str:
    """The first three items and the number of the rest, on one line."""
    rest = f" and {len(items) - _NAMED} more" if items[_NAMED:] else ""
    return ", ".join(items[:_NAMED]) + rest

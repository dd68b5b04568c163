"""Many files read at once, and the words for those that were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import TypeVar

from ebgan.data.errors import reason
from ebgan.errors import UserError, require

File = TypeVar("File")
Read = TypeVar("Read")

_NAMED = 3
_THREADS = 8  # decoding runs outside the interpreter lock, opening a file inside it: more would queue there
_PATIENCE_SECONDS = 2  # before the bar appears


def each_file(
    files: Sequence[File], read: Callable[[File], Read], *, title: str, unit: str
) -> Generator[Read | str, None, None]:
    """Yield what ``read`` makes of each file, or the reason why it fails; a bar tells of a long wait."""

    def attempt(file: File) -> Read | str:
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


def of_kind(names: Collection[str], suffixes: Sequence[str]) -> tuple[list[str], str]:
    """The names that end in one of the suffixes, sorted, and the others in words: "4 files (3 .gif, 1 .txt)".

    Without others the words are "".
    """
    chosen = sorted(name for name in names if name.lower().endswith(tuple(suffixes)))
    others = Counter(PurePosixPath(name).suffix.lower() for name in set(names).difference(chosen))
    counts = [f"{count} {suffix or 'without a suffix'}" for suffix, count in most_first(others)]
    return chosen, f"{others.total()} files ({first_few(counts)})" if counts else ""


def either(suffixes: Sequence[str]) -> str:
    """The suffixes as words: ".jpg, .png or .webp"."""
    return f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"


def most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    """The names and their counts, the greatest first, and by name where they are equal."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def first_few(items: Sequence[str]) -> str:
    """The first three items and the number of the rest, on one line."""
    rest = f" and {len(items) - _NAMED} more" if items[_NAMED:] else ""
    return ", ".join(items[:_NAMED]) + rest

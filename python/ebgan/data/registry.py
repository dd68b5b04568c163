"""Data sets by name: each file of this folder that holds one describes it by a :class:`Source`."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ebgan.data.errors import DataError
from ebgan.data.image_files import ImageFiles
from ebgan.data.image_set import ImageSet
from ebgan.errors import at_least, did_you_mean

Split = Literal["train", "test"]
Place = Literal["embedded", "root", "own"]
Root = str | os.PathLike[str] | None
# Bytes of a set that is kept in memory: CelebA at 64x64 takes 2.3 GiB, ImageNet 14.7 GiB.
IN_MEMORY = 4 << 30


@dataclass(frozen=True)
class Source:
    """A data set, and how it is read and fetched.

    Attributes:
        name: what users call it.
        load: ``(split, root, size) -> ImageSet``; one that reads a published set finds its files through
            :func:`data_root`, one of a fixed size ignores ``size``.
        about: what it holds, in a few words.
        place: where it lies: ``"embedded"`` in a package, below the data ``"root"``, or where its
            owner has it.
        download: ``(root, base_url, progress) -> folder``, or None where there is nothing to fetch.
        open: ``(split, root, size) -> ImageFiles`` of a set that may be too large for memory; None of others.
    """

    name: str
    load: Callable[[Split, Root, int | None], ImageSet]
    about: str
    place: Place
    download: Callable[[Path, str | None, bool], Path] | None = None
    open: Callable[[Split, Root, int | None], ImageFiles] | None = None


_sources: dict[str, Source] = {}


def register(source: Source) -> None:
    """Make a data set known by its name; ValueError where another has that name."""
    if source.name in _sources:
        raise ValueError(f"a data set named {source.name!r} is registered already")
    _sources[source.name] = source


def sources() -> tuple[Source, ...]:
    """Every data set that :func:`load` knows, by name."""
    return tuple(_sources[name] for name in names())


def names() -> tuple[str, ...]:
    """Names that :func:`load` knows, sorted."""
    return tuple(sorted(_sources))


def load(name: str, split: Split = "train", root: Root = None, *, size: int | None = None) -> ImageSet:
    """Read one split of a data set into memory.

    Args:
        name: one of :func:`names`.
        split: ``"train"`` or ``"test"``.
        root: folder that holds the data sets, each in a folder of its own name; by default ``$EBGAN_DATA``.
            ``digits`` and ``turntable`` need none; for ``images`` it is the folder, zip or tar of images
            itself, and always given.
        size: height and width that images, or their central squares, are scaled to; ``digits``, ``mnist`` and
            ``fashion-mnist`` keep theirs, and :class:`Batches` pads or crops them.

    Raises:
        DataError: unknown name or split, no data root, or a file that is missing, damaged or of another
            release.
        UserError: ``size`` below 1.

    Example:
        >>> from ebgan.data import load
        >>> digits = load("digits", "test")
        >>> digits.images.shape, digits.classes[3]
        ((355, 1, 8, 8), '3')
    """
    return _checked(name, split, size).load(split, root, size)


def open_set(
    name: str, split: Split = "train", root: Root = None, *, size: int, memory: int | None = None
) -> ImageSet | ImageFiles:
    """Read one split of a data set into memory where it fits, else find its files, to be decoded as needed.

    It fits where its images, as decoded, take at most ``memory`` bytes, by default 4 GiB, and every set but
    ``images`` does. :class:`Batches` takes either, and makes the same batches of both as long as no file is
    damaged.

    Args:
        name, split, root, size: as in :func:`load`.
        memory: bytes.

    Raises:
        DataError, UserError: as in :func:`load`.

    Example:
        >>> from ebgan.data import open_set
        >>> open_set("digits", size=8).shape
        (1, 8, 8)
    """
    source = _checked(name, split, size)
    if source.open is None:
        return source.load(split, root, size)
    files = source.open(split, root, size)
    if files.nbytes > (IN_MEMORY if memory is None else memory):
        return files
    with closing(files):
        return files.in_memory()


def download(
    name: str, root: str | os.PathLike[str], *, base_url: str | None = None, progress: bool = True
) -> Path:
    """Fetch the files of a data set into ``root/name`` and return that folder.

    Files that are there and have the right checksum are left alone, so a download that failed goes on at
    the file where it stopped. Nothing incomplete or damaged is ever put under a final name.

    Args:
        name: one of :func:`names`.
        root: the data root; made if it does not exist.
        base_url: folder to fetch from instead of the set's own address, for a mirror.
        progress: show a bar for each file where the output is a terminal.

    Raises:
        DataError: unknown name, nothing to fetch, no connection, an HTTP error, a body cut short, a wrong
            checksum, or no right to write.
    """
    source = _find(name)
    if source.download is None:
        raise DataError(f"data set {name!r} is embedded or your own: there is nothing to download")
    return source.download(Path(root), base_url, progress)


def data_root(name: str, root: Root) -> Path:
    """The folder that holds the data sets: ``root``, else ``$EBGAN_DATA``; ``name`` is the set that needs it.

    Raises:
        DataError: neither is given, or what is given is not a folder.
    """
    chosen = root if root is not None else os.environ.get("EBGAN_DATA")
    can_be_fetched = name in _sources and _sources[name].download is not None
    if not chosen:
        fetch = f"; to fetch it: ebgan data download {name} --root DIR" if can_be_fetched else ""
        raise DataError(
            f"data set {name!r} needs a data root: give --data-root (root=) or set EBGAN_DATA{fetch}"
        )
    path = Path(chosen)
    if not path.is_dir():
        origin = "EBGAN_DATA" if root is None else "the data root"
        fetch = (
            f"; to fetch {name} into it: ebgan data download {name} --root {path}" if can_be_fetched else ""
        )
        raise DataError(f"{origin} names {str(path)!r}, which is not a folder{fetch}")
    return path


def _checked(name: str, split: str, size: int | None) -> Source:
    source = _find(name)
    if split not in get_args(Split):
        raise DataError(f"unknown split {split!r}: a data set has {' and '.join(map(repr, get_args(Split)))}")
    if size is not None:
        at_least("size", size, 1)
    return source


def _find(name: str) -> Source:
    try:
        return _sources[name]
    except KeyError:
        near = did_you_mean(name, names())
        raise DataError(f"unknown data set {name!r}; known are {', '.join(names())}{near}") from None

"""The files in a folder, a zip or tars, by name, without unpacking."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, TypeVar

from ebgan.data.errors import DataError
from ebgan.data.tar_members import SUFFIX, TarMember, tar_members

OpenFile = Callable[[str], IO[bytes]]
Place = TypeVar("Place")

# Members of an archive are read into memory, eight at a time; no photograph takes as much.
_MEMBER_BYTES = 1 << 27
# A large member that unpacks to so many times its size holds no picture, which is compressed already.
_LARGE_BYTES, _RATIO = 1 << 24, 100


def _nothing() -> None:
    """What there is to close of files that are opened one by one."""


@dataclass(frozen=True)
class Listing:
    """The `names` of files, with ``/`` between folders, and what opens one by its name, from any thread.

    `open_file` raises what the file system or ``zipfile`` raises, and ``ValueError`` for a member of a zip or
    tar that takes more than 128 MiB, or more than 16 MiB that are 100 times its size in the zip. After
    `close` it opens none.
    """

    names: Collection[str]
    open_file: OpenFile
    close: Callable[[], None] = _nothing


@contextmanager
def listed(root: Path) -> Iterator[tuple[Collection[str], OpenFile]]:
    """Within the block the names of all files below ``root``, and what opens one.

    It is :func:`listing`, but a tar in a folder is a file like others.
    """
    found = listing(root, through_tars=False)
    try:
        yield found.names, found.open_file
    finally:
        found.close()


def listing(root: Path, *, through_tars: bool = True) -> Listing:
    """All files below the folder ``root``, or in the zip or tar ``root``.

    Hidden files and folders (a dot in front) and the ``__MACOSX`` of zips made on a Mac are left out; links
    are followed. A tar in a folder is looked through as if it were a folder of its name. A zip whose names
    have ``\\`` between folders, as some programs on Windows write them, is read as if it had ``/``.

    Raises:
        DataError: nothing is there, it cannot be read, is no zip or tar, encrypted or compressed, links go in
            a circle, or a name in an archive leads out of it or is there twice.
    """
    if os.path.isdir(root):
        return _folder(root, through_tars)
    return _tar(root) if _is_tar(root.name) else _zip(root)


def _folder(root: Path, through_tars: bool) -> Listing:
    places: dict[str, TarMember | None] = {}
    for name in _names_in_folder(root):
        if through_tars and _is_tar(name):
            members = _members(root / name, tar_members(root / name))
            places |= {f"{name}/{member}": members[member] for member in _visible_ones(members)}
        else:
            places[name] = None

    def open_file(name: str) -> IO[bytes]:
        member = places[name]
        return (root / name).open("rb") if member is None else _open_tar_member(member)

    return Listing(places.keys(), open_file)


def _tar(root: Path) -> Listing:
    members = _members(root, tar_members(root))
    return Listing(_visible_ones(members), lambda name: _open_tar_member(members[name]))


def _zip(root: Path) -> Listing:
    try:
        archive = zipfile.ZipFile(root)
    except OSError as error:
        raise DataError(f"cannot read {root}: {error.strerror}; give a folder, a zip or a tar") from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{root} is neither a folder nor a .tar nor a whole zip ({error})") from error
    try:
        if any(member.flag_bits & 1 for member in archive.infolist()):
            raise DataError(f"{root} is encrypted: unpack it with its password and give the folder")
        members = _members(root, ((member.filename, member) for member in archive.infolist()))
    except DataError:
        archive.close()
        raise

    def open_member(name: str) -> IO[bytes]:
        member = members[name]
        _check_size(member.file_size)
        if member.file_size > max(_LARGE_BYTES, _RATIO * member.compress_size):
            raise ValueError(
                f"unpacks from {member.compress_size} bytes to {member.file_size}, as no picture does"
            )
        return BytesIO(archive.read(member))  # all of it, so that its checksum is compared

    return Listing(_visible_ones(members), open_member, archive.close)


def _open_tar_member(member: TarMember) -> IO[bytes]:
    _check_size(member.size)
    return BytesIO(member.read())


def _check_size(size: int) -> None:
    if size > _MEMBER_BYTES:
        raise ValueError(f"unpacks to {size} bytes, allowed are {_MEMBER_BYTES}")


def _members(root: Path, found: Iterable[tuple[str, Place]]) -> dict[str, Place]:
    """The files in an archive by their names, with ``/`` between folders."""
    members: dict[str, Place] = {}
    for path, place in found:
        name = path.replace("\\", "/").removeprefix("./")
        if name.endswith("/"):
            continue
        if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
            raise DataError(f"{root} holds {path!r}, a name that leads out of it; pack it anew")
        if name in members:
            raise DataError(f"{root} holds {path!r} twice; take one out, or pack it anew")
        members[name] = place
    return members


def _names_in_folder(root: Path) -> list[str]:
    def refuse(error: OSError) -> None:
        raise DataError(f"cannot read {error.filename}: {error.strerror}") from error

    names: list[str] = []
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        below = Path(folder).relative_to(root)
        if any(os.path.samefile(folder, root / above) for above in below.parents):
            raise DataError(f"{folder} is a link to a folder that it lies in: remove the link")
        folders[:] = sorted(filter(_is_visible, folders))
        names += [(below / file).as_posix() for file in files if _is_visible(file)]
    return names


def _visible_ones(names: Iterable[str]) -> list[str]:
    return [name for name in names if all(map(_is_visible, PurePosixPath(name).parts))]


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _is_tar(name: str) -> bool:
    return name.lower().endswith(SUFFIX)

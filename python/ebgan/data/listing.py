"""The files in a folder or a zip, by name, without unpacking the zip."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO

from ebgan.data.errors import DataError

OpenFile = Callable[[str], IO[bytes]]

# Members of a zip are read into memory, eight at a time; no photograph takes as much.
_MEMBER_BYTES = 1 << 27
# A large member that unpacks to so many times its size holds no picture, which is compressed already.
_LARGE_BYTES, _RATIO = 1 << 24, 100


@contextmanager
def listed(root: Path) -> Iterator[tuple[Collection[str], OpenFile]]:
    """The names of all files below ``root``, with ``/`` between folders, and what opens one by its name.

    Hidden files and folders (a dot in front) and the ``__MACOSX`` of zips made on a Mac are left out; links
    are followed. A zip whose names have ``\\`` between folders, as some programs on Windows write them, is
    read as if it had ``/``. Files may be opened by several threads at once; opening one raises what the file
    system or ``zipfile`` raises, and ``ValueError`` for a member of a zip that unpacks to more than 128 MiB,
    or to more than 16 MiB that are 100 times its size.

    Raises:
        DataError: nothing is there, it cannot be read, is not a zip or is encrypted, links go in a circle, or
            a name in a zip leads out of it or is there twice.
    """
    if os.path.isdir(root):
        yield _names_in_folder(root), lambda name: (root / name).open("rb")
        return
    try:
        archive = zipfile.ZipFile(root)
    except OSError as error:
        raise DataError(f"cannot read {root}: {error.strerror}; give a folder or a zip") from error
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise DataError(f"{root} is neither a folder nor a whole zip ({error})") from error
    with archive:
        if any(member.flag_bits & 1 for member in archive.infolist()):
            raise DataError(f"{root} is encrypted: unpack it with its password and give the folder")

        members = _members(root, archive)

        def open_member(name: str) -> IO[bytes]:
            member = members[name]
            if member.file_size > _MEMBER_BYTES:
                raise ValueError(f"unpacks to {member.file_size} bytes, allowed are {_MEMBER_BYTES}")
            if member.file_size > max(_LARGE_BYTES, _RATIO * member.compress_size):
                raise ValueError(
                    f"unpacks from {member.compress_size} bytes to {member.file_size}, as no picture does"
                )
            return BytesIO(archive.read(member))  # all of it, so that its checksum is compared

        yield [name for name in members if all(map(_is_visible, PurePosixPath(name).parts))], open_member


def _members(root: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The files in a zip by their names, with ``/`` between folders."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.replace("\\", "/")
        if name.endswith("/"):
            continue
        if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
            raise DataError(f"{root} holds {member.filename!r}, a name that leads out of it; pack it anew")
        if name in members:
            raise DataError(f"{root} holds {member.filename!r} twice; take one out, or pack it anew")
        members[name] = member
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


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"

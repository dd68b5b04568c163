"""The same image files in a folder, a zip, a tar and shards."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

Files = Mapping[str, bytes]


def folder(path: Path, files: Files) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def zipped(path: Path, files: Files) -> Path:
    path = path.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: Files) -> Path:
    path = path.with_suffix(".tar")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def sharded(path: Path, files: Files) -> Path:
    """Tars of at most two files each, in a folder."""
    names = list(files)
    for number, start in enumerate(range(0, len(names), 2)):
        tarred(path / f"shard-{number:03}", {name: files[name] for name in names[start : start + 2]})
    return path


ARRANGEMENTS: dict[str, Callable[[Path, Files], Path]] = {
    "folder": folder,
    "zip": zipped,
    "tar": tarred,
    "shards": sharded,
}

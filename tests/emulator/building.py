"""Compiles changed copies of the kernels, or kernels of a test, for one variant of the emulated device.

`make emulator` compiles all kernels. Here one source is translated, compiled with the flags that CMake has
written down for it, and linked with the variant's runtime: seconds, where all kernels take minutes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import functools
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from translate import translate

Variant = Literal["plain", "races", "sanitizers"]

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KERNELS = HERE / "kernels"  # of the tests
SOURCES = ROOT / "csrc"
BUILD = ROOT / "build" / "emulator"
CAPABILITY = "9.0"


class BuildError(RuntimeError):
    """A source does not compile or link, or an edit does not fit it; the message holds the compiler's."""


@dataclasses.dataclass(frozen=True)
class Edit:
    """A replacement of text in a file of csrc, such as cuda/reduce.cuh, that holds the text exactly once."""

    file: str
    old: str
    new: str


def not_configured() -> str:
    """ "" where CMake has been run for the emulated device, else why nothing can be compiled here."""
    if not (BUILD / "compile_commands.json").is_file():
        return "not configured (build/emulator has no compile_commands.json); run make emulator"
    return ""


def edited(edits: Sequence[Edit]) -> dict[str, str]:
    """The texts of the files that the edits change, by name."""
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.file) or (SOURCES / edit.file).read_text()
        if (found := text.count(edit.old)) != 1:
            raise BuildError(
                f"csrc/{edit.file} holds the text of an edit {found} times, it must once;"
                f" bring the edit up to date:\n{edit.old}"
            )
        texts[edit.file] = text.replace(edit.old, edit.new)
    return texts


def library_of(variant: Variant, unit: str, edits: Sequence[Edit], name: str) -> pathlib.Path:
    """The operators of csrc/cuda/<unit>.cu with edits, and scale_gradients_, which all families call."""
    units = dict.fromkeys((unit, "gradient"))
    changed = {unit: edits, "gradient": edits if unit == "gradient" else ()}
    objects = []
    for each in units:
        own_name = name if each == unit else "gradient"
        with _one_at_a_time(variant, own_name):
            objects.append(_compiled_unit(variant, each, edited(changed[each]), own_name))
    return _linked(variant, objects, name)


def _compiled_unit(variant: Variant, unit: str, texts: Mapping[str, str], name: str) -> pathlib.Path:
    source = f"cuda/{unit}.cu"
    texts = {source: (SOURCES / source).read_text(), **texts}
    folder = _folder(variant) / name
    shutil.rmtree(folder / "cuda", ignore_errors=True)  # what an edit of before has changed
    for file, text in texts.items():
        target = folder / file.replace(".cu", ".cpp") if file == source else folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(translate(text, str(SOURCES / file)))
    return _compiled(variant, folder / "cuda" / f"{unit}.cpp", folder, "".join(texts.values()))


def compiled_kernels(variant: Variant, source: pathlib.Path) -> pathlib.Path:
    """A library of the kernels that a test has written, for ctypes."""
    folder = _folder(variant) / source.stem
    with _one_at_a_time(variant, source.stem):
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{source.stem}.cpp"
        target.write_text(translate(source.read_text(), str(source)))
        built = _compiled(variant, target, folder, target.read_text())
        return _linked(variant, [built], source.stem)


def _compiled(variant: Variant, source: pathlib.Path, folder: pathlib.Path, text: str) -> pathlib.Path:
    """The object of a source, from an earlier run where nothing that it is made of has changed."""
    _runtime(variant)  # and the translated headers with it
    target = folder / "object.o"
    compiler, *flags = _flags(variant)
    # The copies' folder in front of all others: what is changed takes the place of what is not.
    command = [compiler, f"-I{folder}", f"-I{KERNELS}", *flags, "-o", str(target), "-c", str(source)]
    key = hashlib.sha256(f"{command}{text}{_all_sources()}".encode()).hexdigest()
    key_file = folder / "key"
    if target.is_file() and key_file.is_file() and key_file.read_text() == key:
        return target
    key_file.unlink(missing_ok=True)
    _run(command)
    key_file.write_text(key)
    return target


def _linked(variant: Variant, objects: Sequence[pathlib.Path], name: str) -> pathlib.Path:
    """A library of objects and of the variant's runtime; whoever has loaded an older one keeps that."""
    target = _folder(variant) / f"{name}.so"
    fresh = target.with_suffix(f".{os.getpid()}")
    flags = _flags(variant)
    torch_include = pathlib.Path(flags[flags.index("-isystem") + 1])
    sanitizers = [flag for flag in flags if flag.startswith("-fsanitize=address")]
    _run(
        [
            flags[0],
            *sanitizers,
            "-shared",
            "-Wl,-z,defs",
            *map(str, objects),
            *map(str, _runtime(variant)),
            f"-L{torch_include.parent / 'lib'}",
            "-Wl,--no-as-needed",
            "-ltorch",
            "-ltorch_cpu",
            "-ldl",
            "-o",
            str(fresh),
        ]
    )
    return fresh.replace(target)


@functools.cache
def _commands() -> dict[str, str]:
    """The commands that compile the objects of build/emulator, by the objects' names, as CMake has them."""
    _ninja("build.ninja")
    entries = json.loads((BUILD / "compile_commands.json").read_text())
    return {shlex.split(entry["command"])[-3]: entry["command"] for entry in entries}


def _flags(variant: Variant) -> list[str]:
    """The compiler and its flags for kernels of a variant."""
    words = shlex.split(
        _commands()[f"CMakeFiles/emulator_{variant}_{CAPABILITY}.dir/translated/cuda/energy.cpp.o"]
    )
    return words[:-4]


@functools.cache
def _runtime(variant: Variant) -> list[pathlib.Path]:
    """The objects of a variant's runtime, brought up to date first."""
    prefix = f"CMakeFiles/emulator_{variant}_{CAPABILITY}_runtime.dir/"
    _ninja(f"emulator_{variant}_{CAPABILITY}_runtime")
    return [BUILD / name for name in _commands() if name.startswith(prefix)]


def _ninja(target: str) -> None:
    ninja = shutil.which("ninja") or str(pathlib.Path(sys.executable).with_name("ninja"))
    with _locked(BUILD / "ninja.lock"):
        _run([ninja, "-C", str(BUILD), target])


@functools.cache
def _all_sources() -> str:
    """One number for everything that a kernel may include."""
    folders = [
        SOURCES / "cuda",
        SOURCES / "math",
        SOURCES / "operators",
        SOURCES / "stable",
        HERE / "include",
        HERE / "runtime",
        KERNELS,
    ]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(path.read_bytes() for path in [HERE / "translate.py", *files])).hexdigest()


def _folder(variant: Variant) -> pathlib.Path:
    folder = BUILD / "copies" / variant
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _one_at_a_time(variant: Variant, name: str) -> contextlib.AbstractContextManager[None]:
    return _locked(_folder(variant) / f"{name}.lock")


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    """Tests run in several processes, which share what one of them has built."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, cwd=BUILD)
    if result.returncode != 0:
        raise BuildError(f"{shlex.join(command)}\n{result.stdout}{result.stderr}")

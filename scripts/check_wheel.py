"""What the wheel of every Python must hold, and must not: python scripts/check_wheel.py WHEEL

Needs pyelftools, which auditwheel brings; auditwheel itself has the word on the platform's tag (make wheel).
"""

from __future__ import annotations

import io
import pathlib
import re
import sys
import zipfile
from collections.abc import Iterator

from elftools.elf.elffile import ELFFile

NEEDED = (
    "ebgan_kernels/_C_cpu.so", "ebgan_kernels/build.json", "ebgan_kernels/py.typed",
    "ebgan/py.typed", "ebgan/_host.pyi", "ebgan/gan/scores/weights/mnist.safetensors",
)  # fmt: skip
ALLOWED = re.compile(
    r"(ebgan_kernels|ebgan)/.*\.(py|pyi|safetensors)|.*/py\.typed|ebgan_kernels/(_C_(cpu|cuda)\.so|\w+\.json)"
    r"|ebgan/_host\.cpython-\d+-[\w-]+\.so|ebgan_kernels-[\d.]+\.dist-info/.*"
)
NAME = re.compile(r"ebgan_kernels-[\d.]+-py3-none-manylinux_(\d+)_(\d+)_\w+\.whl")
BUILD_PATH = re.compile(rb"/(?:work|root|home|tmp|build|project|io)/[\w./+-]{4,}")
LARGEST = {"_C_cpu.so": 6, "_C_cuda.so": 80, "_host": 1}  # MB


def faults(wheel: pathlib.Path) -> Iterator[str]:
    """What is wrong with a wheel, a line each."""
    tag = NAME.fullmatch(wheel.name)
    if tag is None:
        yield f"{wheel.name} is not named as a wheel of every Python and an older system"
    glibc = (int(tag[1]), int(tag[2])) if tag else (0, 0)
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        yield from (f"{name} is missing" for name in NEEDED if name not in names)
        yield from (f"{name} does not belong here" for name in names if not ALLOWED.fullmatch(name))
        for name in names:
            if name.endswith(".so"):
                yield from (f"{name} {fault}" for fault in library_faults(name, archive.read(name), glibc))


def library_faults(name: str, content: bytes, glibc: tuple[int, int]) -> Iterator[str]:
    """What is wrong with a library that is to load with a glibc, and with any torch from 2.10 on."""
    limit = next(size for part, size in LARGEST.items() if part in name)
    if len(content) > limit * 2**20:
        yield f"has {len(content) / 2**20:.1f} MB, more than {limit}"
    if path := BUILD_PATH.search(content):
        yield f"holds a path of the build machine: {path[0].decode()}"
    elf = ELFFile(io.BytesIO(content))
    dynamic = elf.get_section_by_name(".dynamic")
    if any(entry.entry.d_tag in ("DT_RPATH", "DT_RUNPATH") for entry in dynamic.iter_tags()):
        yield "has a RUNPATH"
    for symbol in elf.get_section_by_name(".dynsym").iter_symbols():
        defined = symbol["st_shndx"] != "SHN_UNDEF"
        if defined and symbol.name and not symbol.name.startswith("PyInit_"):
            yield f"shows the symbol {symbol.name}"
        if not defined and re.search(r"_ZN?K?(2at|3c10|5torch)", symbol.name):
            yield f"needs {symbol.name}, which is not of torch's stable ABI"
    versions = elf.get_section_by_name(".gnu.version_r")
    for _, needed in versions.iter_versions():
        for version in needed:
            found = re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", version.name)
            if found and (int(found[1]), int(found[2])) > glibc:
                yield f"needs {version.name}"
            if version.name.startswith(("GLIBCXX", "CXXABI")):
                yield f"needs the C++ library of the system ({version.name})"


def main() -> int:
    wheel = pathlib.Path(sys.argv[1])
    found = list(faults(wheel))
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{wheel.name}: {wheel.stat().st_size / 2**20:.1f} MB, {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

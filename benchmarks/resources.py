"""The resources that each CUDA kernel takes of a multiprocessor by ptxas, and how many blocks fit on one.

Every source is compiled once for the devices in `TARGETS`, which takes minutes; what was found is kept under
`build/traffic`, by a hash of the sources.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from benchmarks.rows import ROOT

TARGETS = ("sm_80", "sm_90", "sm_100")
DIVISIONS_OF = "sm_90"  # whose PTX is read for divisions: it hardly differs between devices
CSRC = ROOT / "csrc"
CACHE = ROOT / "build" / "traffic"
FLAGS = (
    "-std=c++20", "-O3", "--fatbin", "--keep", "-Xptxas=-v",
    *(f"-gencode=arch=compute_{target[3:]},code={target}" for target in TARGETS),
    "-DTORCH_TARGET_VERSION=0x020a000000000000", "-DUSE_CUDA",
)  # fmt: skip

_ENTRY = re.compile(
    r"Compiling entry function '(?P<name>\w+)' for '(?P<target>\w+)'.*?"
    r"(?P<spilled>\d+) bytes spill stores.*?"
    r"Used (?P<registers>\d+) registers(?P<rest>[^\n]*)",
    re.DOTALL,
)
_SHARED = re.compile(r"(\d+) bytes smem")
_PTX_ENTRY = re.compile(r"\.entry (\w+)\(")
_DIVISION = re.compile(
    r"^\s*(?:@!?%p\d+ )?(?:div|rcp|sqrt)\.(?:rn|full|approx)[\w.]*\.f(?:32|64)", re.MULTILINE
)


@dataclass(frozen=True)
class Resources:
    """The resources of a kernel: registers and spilled bytes of a thread, bytes of a block."""

    registers: int
    static_shared: int
    spilled: int


@dataclass(frozen=True)
class Compiled:
    """A kernel by target; `divisions` are the places in its PTX that divide floats or take their root."""

    by_target: Mapping[str, Resources]
    divisions: int


@dataclass(frozen=True)
class Multiprocessor:
    """The resources that blocks share; registers and shared memory are handed out in whole units."""

    warps: int = 64
    blocks: int = 32
    registers: int = 65536
    registers_unit: int = 256  # of a warp
    parts: int = 4  # each has a quarter of the registers, and a warp lies in one
    shared: int = 228 * 1024
    shared_unit: int = 128
    shared_reserved: int = 1024  # of each block, by the system


MULTIPROCESSORS = {
    "sm_80": Multiprocessor(shared=164 * 1024),
    "sm_90": Multiprocessor(),
    "sm_100": Multiprocessor(),
}


def resident_blocks(multiprocessor: Multiprocessor, *, threads: int, registers: int, shared: int) -> int:
    """The number of blocks on a multiprocessor at once; `shared` is a block's, static and dynamic."""
    warps = -(-threads // 32)
    of_warp = _round_up(registers * 32, multiprocessor.registers_unit)
    warps_by_registers = multiprocessor.registers // multiprocessor.parts // of_warp * multiprocessor.parts
    of_block = _round_up(shared + multiprocessor.shared_reserved, multiprocessor.shared_unit)
    return min(
        multiprocessor.blocks,
        multiprocessor.warps // warps,
        warps_by_registers // warps,
        multiprocessor.shared // of_block,
    )


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def parse_log(log: str) -> dict[str, dict[str, Resources]]:
    """The resources in the output of `ptxas -v`, by mangled kernel and target."""
    found: dict[str, dict[str, Resources]] = {}
    for match in _ENTRY.finditer(log):
        shared = _SHARED.search(match["rest"])
        found.setdefault(match["name"], {})[match["target"]] = Resources(
            int(match["registers"]), int(shared[1]) if shared else 0, int(match["spilled"])
        )
    return found


def count_divisions(ptx: str) -> dict[str, int]:
    """Divisions, reciprocals and roots of floats that stand in a module's PTX, by mangled kernel."""
    starts = [*_PTX_ENTRY.finditer(ptx)]
    ends = [match.start() for match in starts[1:]] + [len(ptx)]
    return {
        match[1]: len(_DIVISION.findall(ptx, match.end(), end))
        for match, end in zip(starts, ends, strict=True)
    }


def kernel_name(demangled: str) -> str:
    """A demangled kernel without result, arguments and anonymous namespaces, which compilers name apart."""
    text = demangled.replace("(anonymous namespace)::", "").removeprefix("void ")
    depth = 0
    for at, character in enumerate(text):
        depth += {"<": 1, ">": -1}.get(character, 0)
        if character == "(" and depth == 0:
            return text[:at]
    return text


def demangle(names: Sequence[str]) -> dict[str, str]:
    """The names by their mangled forms, by binutils' c++filt."""
    text = subprocess.run(
        ["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True
    ).stdout
    return dict(zip(names, map(kernel_name, text.splitlines()), strict=True))


def compiled_kernels(sources: Sequence[pathlib.Path], cache: pathlib.Path = CACHE) -> dict[str, Compiled]:
    """Every kernel of the sources by its name; RuntimeError where nvcc is not there or fails."""
    found: dict[str, Compiled] = {}
    for source in sources:
        path = cache / f"{source.stem}-{_hash(source)}.json"
        if not path.is_file():
            print(f"compiling {source.name} for {', '.join(TARGETS)}", flush=True)
            kernels = _compile(source)
            cache.mkdir(parents=True, exist_ok=True)
            for old in cache.glob(f"{source.stem}-*.json"):
                old.unlink()
            path.write_text(json.dumps({name: dataclasses.asdict(each) for name, each in kernels.items()}))
        for name, content in json.loads(path.read_text()).items():
            by_target = {target: Resources(**each) for target, each in content["by_target"].items()}
            found[name] = Compiled(by_target, content["divisions"])
    return found


def _hash(source: pathlib.Path) -> str:
    """The hash of a source, of every header that it may include, and of the flags."""
    folders = (source.parent, *(CSRC / name for name in ("math", "operators", "stable")))
    headers = sorted(path for folder in folders for path in folder.glob("*.*h"))
    digest = hashlib.sha256(" ".join(FLAGS).encode())
    for path in (source, *headers):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _compile(source: pathlib.Path) -> dict[str, Compiled]:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            _nvcc(), *FLAGS, f"--keep-dir={folder}", str(source), f"-o={folder}/fatbin",
            f"-I{CSRC}", "-isystem", str(pathlib.Path(torch.__file__).parent / "include"),
        ]  # fmt: skip
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"nvcc does not compile {source.name}: {result.stderr.strip()}")
        ptx = pathlib.Path(folder, f"{source.stem}.compute_{DIVISIONS_OF[3:]}.ptx").read_text()
    resources = parse_log(result.stdout + result.stderr)
    divisions = count_divisions(ptx)
    names = demangle(list(resources))
    return {names[name]: Compiled(by_target, divisions[name]) for name, by_target in resources.items()}


def _nvcc() -> str:
    found = shutil.which(
        "nvcc", path=f"{os.environ.get('CUDA_HOME', '/usr/local/cuda')}/bin:{os.environ['PATH']}"
    )
    if found is None:
        raise RuntimeError(
            "there is no nvcc on PATH nor in CUDA_HOME, and registers come from it; install CUDA's nvcc"
        )
    return found

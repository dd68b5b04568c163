"""Counts of what the CUDA kernels move while the emulated device (`tests/emulator`) runs them on the CPU."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ebgan_kernels.native.library import cuda_is_emulated, cuda_missing, emulated_library

REMEDY = "build it and set the variable as `make traffic` does"
SECTOR = 32  # bytes
LEAST_SHARE = 0.05  # of a launch's sectors or passes, that a line must have to be named


@dataclass(frozen=True)
class Line:
    """A place in a kernel that reads or writes; its `parts` are sectors, or passes of shared memory."""

    place: str
    space: Literal["global", "shared"]
    write: bool
    requests: int
    bytes: int
    parts: int
    fewest: int


@dataclass(frozen=True)
class Requests:
    """The parts of all lines of a launch, the fewest possible, and the line that is furthest from them."""

    parts: int = 0
    fewest: int = 0
    worst_place: str = ""
    worst: float = 1.0

    @staticmethod
    def of(lines: Sequence[Line]) -> Requests:
        parts = sum(line.parts for line in lines)
        named = [line for line in lines if line.parts >= LEAST_SHARE * parts]
        worst = max(named, key=lambda line: line.parts / line.fewest, default=None)
        if worst is None:
            return Requests()
        return Requests(parts, sum(line.fewest for line in lines), worst.place, worst.parts / worst.fewest)


@dataclass(frozen=True)
class Launch:
    """The counts of one launch. Pairs are bytes read and bytes written, in whole sectors.

    `bytes_of_blocks` are distinct within a block (what L1 caches fetch at least), `bytes_of_launch` within
    the launch (what memory delivers at least). `under_way` is what one warp has asked of memory when each
    place that reads has asked once, in bytes that no other request has fetched.
    """

    kernel: str
    blocks: int
    threads: int
    cluster: int
    dynamic_shared: int
    barriers: int
    atomics: int
    functions: dict[str, int]
    bytes_of_blocks: tuple[int, int]
    bytes_of_launch: tuple[int, int]
    under_way: float
    sectors: Requests
    passes: Requests

    @staticmethod
    def of(counts: dict[str, Any]) -> Launch:
        """Make a launch of one element of what `emulator_counts` returns."""
        lines = [Line(**line) for line in counts["lines"]]
        global_lines = [line for line in lines if line.space == "global"]
        reads = [line for line in global_lines if not line.write]
        asked = sum(line.parts for line in reads)
        fresh = counts["sectors_of_launch"][0] / asked if asked else 0.0
        return Launch(
            kernel=counts["kernel"],
            blocks=counts["blocks"],
            threads=counts["threads"],
            cluster=counts["cluster"],
            dynamic_shared=counts["dynamic_shared"],
            barriers=counts["barriers"],
            atomics=counts["atomics"],
            functions={name: times for name, times in counts["functions"].items() if times},
            bytes_of_blocks=_bytes(counts["sectors_of_blocks"]),
            bytes_of_launch=_bytes(counts["sectors_of_launch"]),
            under_way=fresh * sum(SECTOR * line.parts / line.requests for line in reads),
            sectors=Requests.of(global_lines),
            passes=Requests.of([line for line in lines if line.space == "shared"]),
        )

    @staticmethod
    def load(content: dict[str, Any]) -> Launch:
        """Make a launch of what `dataclasses.asdict` has made of one."""
        pairs = {name: tuple(content[name]) for name in ("bytes_of_blocks", "bytes_of_launch")}
        requests = {name: Requests(**content[name]) for name in ("sectors", "passes")}
        return Launch(**{**content, **pairs, **requests})


def _bytes(sectors: Sequence[int]) -> tuple[int, int]:
    read, written = sectors
    return SECTOR * read, SECTOR * written


class Counter:
    """The loaded library of emulated kernels, in the variant that counts.

    It raises RuntimeError where the library is missing or of another variant.
    """

    def __init__(self) -> None:
        if not cuda_is_emulated:
            raise RuntimeError(f"EBGAN_KERNELS_EMULATE_CUDA names no library of the variant counts; {REMEDY}")
        if cuda_missing:
            raise RuntimeError(f"the emulated library is {cuda_missing}")
        self._library = ctypes.CDLL(str(emulated_library()))
        self._library.emulator_variant.restype = ctypes.c_char_p
        variant = self._library.emulator_variant().decode()
        if variant != "counts":
            raise RuntimeError(
                f"{emulated_library()} is of the variant {variant}, and counts is wanted; {REMEDY}"
            )
        self._library.emulator_counts.restype = ctypes.c_char_p

    def count(self, run: Callable[[], object]) -> list[Launch]:
        """The launches that `run` makes."""
        self._library.emulator_forget_counts()
        run()
        return [Launch.of(counts) for counts in json.loads(self._library.emulator_counts())]

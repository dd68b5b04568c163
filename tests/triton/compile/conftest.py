"""Compiles, for GPUs that are not here, the kernels that an operator launches, and reads PTX and register use."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch

triton = pytest.importorskip("triton")
from triton.backends.compiler import GPUTarget  # noqa: E402
from triton.backends.nvidia.compiler import get_ptxas  # noqa: E402
from triton.compiler import ASTSource  # noqa: E402
from triton.runtime.jit import JITFunction  # noqa: E402

OPTIONS = ("num_warps",)
TYPES = {torch.float32: "*fp32", torch.float16: "*fp16", torch.bfloat16: "*bf16", torch.float64: "*fp64"}


@dataclass
class Launch:
    """A kernel with the arguments it was launched with."""

    kernel: JITFunction
    arguments: dict[str, Any]
    options: dict[str, Any]

    def compile(self, capability: int) -> Compiled:
        """As ``triton.jit`` would specialise it for these arguments: None, 1 and constexpr fixed, multiples of 16 marked."""
        constants: dict[Any, Any] = {}
        attributes: dict[tuple[int, ...], list[list[Any]]] = {}

        def describe(path: tuple[int, ...], value: Any) -> Any:
            if isinstance(value, tuple):
                return type(value)(*(describe((*path, i), item) for i, item in enumerate(value)))
            number = value.data_ptr() if isinstance(value, torch.Tensor) else value
            constant = len(path) == 1 and self.kernel.params[path[0]].is_constexpr
            if constant or value is None or number == 1:
                constants[path] = value
                return "constexpr"
            if number % 16 == 0:
                attributes[path] = [["tt.divisibility", 16]]
            return TYPES[value.dtype] if isinstance(value, torch.Tensor) else "i32"

        signature = {n: describe((i,), value) for i, (n, value) in enumerate(self.arguments.items())}
        source = ASTSource(self.kernel, signature, constants, attributes)
        compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=self.options)
        return Compiled(compiled.asm["ptx"], capability)


@dataclass
class Compiled:
    ptx: str
    capability: int

    def global_accesses(self) -> set[str]:
        """Such as ``ld.global.v4.b32``, without cache hints."""
        accesses = re.findall(r"\b(ld|st)\.global(?:\.\w+::\w+)*(\.v\d)?(\.b\d+)", self.ptx)
        return {f"{kind}.global{vector}{type_}" for kind, vector, type_ in accesses}

    def registers_and_spills(self, folder: pathlib.Path) -> tuple[int, int]:
        """Registers a thread, and bytes spilled (stores and loads), by the assembler that ships with Triton."""
        architecture = re.search(r"\.target (sm_\w+)", self.ptx).group(1)
        path = folder / "kernel.ptx"
        path.write_text(self.ptx)
        command = [get_ptxas(self.capability).path, "-v", f"-arch={architecture}", path, "-o", os.devnull]
        report = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        spilled = sum(map(int, re.findall(r"(\d+) bytes spill", report)))
        return int(re.search(r"Used (\d+) registers", report).group(1)), spilled


@pytest.fixture
def launches_of(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Launch]]]:
    """launches_of(kernels, call): what ``call`` launches of the module ``kernels``, without launching it."""

    def record(kernels: Any, call: Callable[[], Any]) -> list[Launch]:
        launches: list[Launch] = []

        def recorder(kernel: JITFunction) -> Any:
            class Recorder:
                def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
                    def launch(*positional: Any, **named: Any) -> None:
                        options = {name: named.pop(name) for name in OPTIONS}
                        names = [parameter.name for parameter in kernel.params]
                        launches.append(
                            Launch(kernel, dict(zip(names, positional, strict=False)) | named, options)
                        )

                    return launch

            return Recorder()

        with monkeypatch.context() as patch:
            for name, kernel in vars(kernels).items():
                if isinstance(kernel, JITFunction) and not name.startswith("_"):
                    patch.setattr(kernels, name, recorder(kernel))
            call()
        return launches

    return record

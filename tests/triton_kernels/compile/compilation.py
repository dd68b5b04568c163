"""Compiles, for GPUs that are not here, the kernels that an operator launches; reads PTX and spills."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.backends.nvidia.compiler import get_ptxas
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from ebgan_kernels.backends import triton_missing
from ebgan_kernels.ops import gradients

_OPTIONS = ("num_warps", "num_stages", "maxnreg")
TYPES = {torch.float32: "*fp32", torch.float16: "*fp16", torch.bfloat16: "*bf16", torch.float64: "*fp64"}


@dataclass
class Launch:
    """A kernel with the arguments it was launched with."""

    kernel: JITFunction
    arguments: dict[str, Any]
    options: dict[str, Any]

    def compile(self, capability: int) -> Compiled:
        """As ``triton.jit`` would: None, 1 and constexpr become constants, multiples of 16 are marked."""
        constants: dict[Any, Any] = {}
        attributes: dict[tuple[int, ...], list[list[Any]]] = {}

        def describe(path: tuple[int, ...], value: Any) -> Any:
            constant = len(path) == 1 and self.kernel.params[path[0]].is_constexpr
            if isinstance(value, tuple) and not constant:
                items = [describe((*path, i), item) for i, item in enumerate(value)]
                return type(value)(*items) if hasattr(value, "_fields") else tuple(items)
            if isinstance(value, float):  # annotated: no kernel takes a float of unsaid width
                return self.kernel.params[path[0]].annotation_type
            number = value.data_ptr() if isinstance(value, torch.Tensor) else value
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

    def spilled_bytes(self, folder: pathlib.Path) -> int:
        """Stores and loads of spilled registers, in bytes, by the assembler that ships with Triton."""
        architecture = re.search(r"\.target (sm_\w+)", self.ptx).group(1)
        path = folder / "kernel.ptx"
        path.write_text(self.ptx)
        command = [get_ptxas(self.capability).path, "-v", f"-arch={architecture}", path, "-o", os.devnull]
        report = subprocess.run(command, check=True, capture_output=True, text=True).stderr
        spills = re.findall(r"(\d+) bytes spill (?:stores|loads)", report)
        assert len(spills) == 2, report
        return sum(map(int, spills))


def operator(name: str) -> Callable[..., Any]:
    """The Triton operator of that name, which allocates its results and launches kernels."""
    assert triton_missing() == ""  # imports the modules that register them
    return gradients.operator("triton", name)


def launches_of(kernels: ModuleType, call: Callable[[], Any]) -> list[Launch]:
    """What ``call`` launches of the kernels of a module, without launching it."""
    launches: list[Launch] = []

    class Recorder:
        def __init__(self, kernel: JITFunction) -> None:
            self.kernel = kernel

        def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., None]:
            return self.launch

        def launch(self, *positional: Any, **named: Any) -> None:
            options = {name: named.pop(name) for name in _OPTIONS if name in named}
            arguments = dict(zip(self.kernel.arg_names, positional, strict=False)) | named
            launches.append(Launch(self.kernel, arguments, options))

    with pytest.MonkeyPatch.context() as patch:
        for name, kernel in vars(kernels).items():
            if isinstance(kernel, JITFunction):
                patch.setattr(kernels, name, Recorder(kernel))
        call()
    return launches

"""Defines operators, and loads the compiled libraries that implement them.

A schema is defined in Python once, whatever is compiled, so that ``torch.ops.ebgan_kernels.*`` means the same
on every machine. ``_C_cpu.so`` and ``_C_cuda.so`` register their kernels under the dispatch keys CPU and CUDA
when they are loaded. Triton operators (``<name>_triton``, in ``ebgan_kernels/triton``) repeat the schema and
share the fake kernel.

For tests of the CUDA kernels on machines without a GPU, ``EBGAN_KERNELS_EMULATE_CUDA`` names a library that
runs them on CPU tensors (``tests/emulator``); "1" stands for the one that a checkout builds in
``build/emulator``. Its operators are registered for CPU tensors, so it takes the place of the CPU library.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

NAMESPACE = "ebgan_kernels"
_PACKAGE = pathlib.Path(__file__).resolve().parent.parent
_EMULATE = os.environ.get("EBGAN_KERNELS_EMULATE_CUDA") or None
_library = torch.library.Library(NAMESPACE, "DEF")
defined: list[str] = []


def define(schemas: Mapping[str, str], fakes: Mapping[str, Callable[..., Any]]) -> None:
    """Defines operators by name: their schemas, and fake kernels for those that take tensors."""
    for name, schema in schemas.items():
        _library.define(name + schema)
        defined.append(name)
    for name, fake in fakes.items():
        torch.library.register_fake(f"{NAMESPACE}::{name}", fake, lib=_library)


def empty_packed(tensor: Tensor) -> Tensor:
    """An uninitialised contiguous tensor of the shape and dtype of ``tensor``."""
    return tensor.new_empty(tensor.shape)


def empty_samples(tensor: Tensor) -> Tensor:
    """The same, but packed are the samples: each is laid out as in ``tensor``."""
    strides = (tensor[:1].numel(), *tensor.stride()[1:])
    return torch.empty_strided(tensor.shape, strides, dtype=tensor.dtype, device=tensor.device)


# Which inputs need a gradient is a number, of which bit i is that of input i: a list of bools takes the
# dispatcher about 0.7 us longer (AMD EPYC, torch 2.13, 2026-11-28).


def empty_gradients(
    tensors: Sequence[Tensor], needed: int, empty_one: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """New gradients of those tensors of which one is needed, in order, each made by ``empty_one``."""
    return [empty_one(tensor) for i, tensor in enumerate(tensors) if needed >> i & 1]


def of_all(gradients: Sequence[Tensor], needed: int, count: int) -> list[Tensor | None]:
    """A gradient for each of ``count`` inputs: those that an operator returns, in order, else None."""
    given = iter(gradients)
    return [next(given) if needed >> i & 1 else None for i in range(count)]


def writes_in_place(*_: Any) -> None:
    """The fake kernel of an operator that returns nothing."""


def _load(path: pathlib.Path, remedy: str) -> str:
    """Loads a compiled library; returns "" or, in one line, why it is not there and what to do."""
    if not path.is_file():
        return f"not compiled ({path.name} is not in {path.parent}); {remedy}"
    try:
        torch.ops.load_library(path)
    except OSError as error:
        return f"{path.name} does not load: {str(error).splitlines()[0]}; reinstall under this torch"
    return ""


def _load_cpu() -> str:
    if _EMULATE is not None:
        return "EBGAN_KERNELS_EMULATE_CUDA is set, and emulated CUDA kernels take CPU tensors in its place"
    return _load(_PACKAGE / "_C_cpu.so", "reinstall with a C++ compiler")


def _load_cuda() -> str:
    if _EMULATE is not None:
        return _load(emulated_library(), "build it with make emulator")
    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA; install a CUDA build of torch"
    return _load(_PACKAGE / "_C_cuda.so", "reinstall with a C++ compiler and nvcc")


def emulated_library() -> pathlib.Path:
    """The library of emulated CUDA kernels that the environment asks for."""
    if _EMULATE == "1":
        return _PACKAGE.parent / "build" / "emulator" / "plain-9.0.so"
    return pathlib.Path(str(_EMULATE)).resolve()


cuda_is_emulated = _EMULATE is not None
cpu_missing = _load_cpu()
cuda_missing = _load_cuda()


def build_information() -> dict[str, Any]:
    """The compiler, CUDA toolkit and architectures that the build recorded; {} where nothing is compiled."""
    path = _PACKAGE / "build.json"
    return json.loads(path.read_text()) if path.is_file() else {}

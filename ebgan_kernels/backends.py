"""Which implementation runs, and why.

Four implementations of every operator: ``reference`` (plain PyTorch, any device), ``cpu`` (C++), ``cuda``
(CUDA C++) and ``triton``. The automatic choice takes the fastest that can run the input and falls back
silently; an implementation that was insisted on (:func:`backend`, or ``EBGAN_KERNELS_BACKEND`` read once at
import) and cannot run raises.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import threading
from collections.abc import Iterator
from typing import Literal, get_args

import torch
from torch import Tensor

from ebgan_kernels import engines
from ebgan_kernels.checks import check_option
from ebgan_kernels.native import gradient, library
from ebgan_kernels.version import __version__

Backend = Literal["reference", "cpu", "cuda", "triton"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
OPERATOR_FAMILIES = ("energy", "pulling_away", "gdl", "valid_conv", "ladder")

_environment = os.environ.get("EBGAN_KERNELS_BACKEND") or None
if _environment is not None:
    check_option("the environment variable EBGAN_KERNELS_BACKEND", _environment, BACKENDS)


class BackendError(RuntimeError):
    """An implementation was insisted on and cannot run."""


class _Choice(threading.local):
    """Thread-local, a plain attribute: torch.compile guards on it, where a ContextVar breaks the graph."""

    def __init__(self) -> None:
        self.insisted = _environment


_choice = _Choice()


@contextlib.contextmanager
def backend(name: Backend) -> Iterator[None]:
    """Insists on one implementation within a ``with`` block, in this thread.

    The automatic choice is the fastest that can run the input: on a CPU ``cpu``, inside ``torch.compile``
    ``reference``, which fuses with what surrounds it; on CUDA ``cuda``, else ``triton``. For convolutions
    ``cpu`` is torch's own oneDNN, but for a few small layers, and on CUDA the automatic choice is made layer
    by layer, as measured (``ebgan_kernels.engines``).

    The backward of a loss uses the choice of its forward. Under ``torch.compile`` a change of choice
    recompiles. Double backward and ``torch.func`` transforms run the reference all the same.

    Raises:
        ValueError: unknown name.

    Example:
        >>> import torch, ebgan_kernels
        >>> with ebgan_kernels.backend("reference"):
        ...     energy = ebgan_kernels.reconstruction_energy(torch.zeros(2, 3), torch.ones(2, 3))
        >>> energy.tolist()
        [1.7320507764816284, 1.7320507764816284]
    """
    check_option("backend", name, BACKENDS)
    before = _choice.insisted
    _choice.insisted = name
    try:
        yield
    finally:
        _choice.insisted = before


def insisted() -> Backend | None:
    """The implementation that this thread insists on; None where the choice is automatic."""
    return _choice.insisted  # type: ignore[return-value]


def triton_missing() -> str:
    """Imports the Triton operators at the first call; "" or, in one line, why they cannot be had."""
    try:
        for family in OPERATOR_FAMILIES:
            importlib.import_module(f"ebgan_kernels.triton.{family}")
    except ImportError as error:
        return f"triton cannot be imported ({error}); pip install triton"
    return ""


# All that torch.compiler.assume_constant_result does, whose call imports torch._dynamo: `import
# ebgan_kernels` took 5.4 s with it and 0.03 s without (torch 2.13, AMD EPYC, 2026-11-22).
triton_missing._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _triton_interpreted() -> bool:
    return os.environ.get("TRITON_INTERPRET") == "1"


def device_of(name: Backend) -> torch.device:
    """The device whose tensors an implementation takes: the CPU's where it is emulated or interpreted.

    The reference takes tensors of any device, and those of the CPU are everywhere.
    """
    simulated = {"cuda": library.cuda_is_emulated, "triton": _triton_interpreted()}
    return torch.device("cuda" if name in simulated and not simulated[name] else "cpu")


def _refusal(name: str, device: str) -> str:
    """Why implementation ``name`` cannot run on ``device``; "" where it can."""
    if name == "cpu":
        return library.cpu_missing or (
            "" if device == "cpu" else f"it runs on CPU tensors, and these are on {device}"
        )
    if name == "cuda":
        takes = device_of("cuda").type
        return library.cuda_missing or (
            "" if device == takes else f"it runs on {takes.upper()} tensors, and these are on {device}"
        )
    if name == "triton":
        if device == "cpu" and device_of("triton").type == "cuda":
            return "it runs on CUDA tensors (on CPU tensors only in Triton's interpreter, TRITON_INTERPRET=1)"
        return triton_missing()
    return ""


def can_run(name: Backend, tensor: Tensor) -> bool:
    """Whether an implementation runs on the device of ``tensor``."""
    return not _refusal(name, tensor.device.type)


def missing(name: Backend) -> str:
    """Why an implementation cannot run on this machine, in one line; "" where it can."""
    device = device_of(name).type
    if refusal := _refusal(name, device):
        return refusal
    return "no CUDA device is visible to torch" if device == "cuda" and not torch.cuda.is_available() else ""


def select(tensor: Tensor) -> Backend:
    """The implementation for an operator whose inputs are on the device of ``tensor``."""
    compiling = torch.compiler.is_compiling()
    if not compiling and torch._C._are_functorch_transforms_active():
        # Inside torch.func transforms a ctx-style autograd.Function does not exist; plain PyTorch does.
        return "reference"
    device = tensor.device.type
    insisted = _choice.insisted
    if insisted is not None:
        refusal = _refusal(insisted, device)
        if refusal:
            raise BackendError(f"backend {insisted!r} was insisted on and cannot run: {refusal}")
        return insisted  # type: ignore[return-value]
    if device == "cpu":
        # Inside a compiled step the fusion that an opaque loss prevents is worth more than the loss: for an
        # auto-encoder's step at 64x3x64x64 the reference took 9.9 ms and "cpu" 11.1, at 64x1x28x28 0.85 and
        # 0.92 (float32, 2 cores of an AMD EPYC, torch 2.13, 2026-11-22).
        return "reference" if compiling or library.cpu_missing else "cpu"
    if device == "cuda":
        if not library.cuda_missing:
            return "cuda"
        return "reference" if triton_missing() else "triton"
    return "reference"


def backend_report() -> str:
    """What is there, what is not and why, how it was built: some lines for a person or a bug report.

    Example:
        >>> import ebgan_kernels
        >>> print(ebgan_kernels.backend_report())  # doctest: +ELLIPSIS
        ebgan-kernels ...
    """
    build = library.build_information()
    has_gpu = torch.cuda.is_available()
    lines = [
        f"ebgan-kernels {__version__}, torch {torch.__version__},"
        f" Python {platform.python_version()}, {platform.platform()}",
        "reference  available: plain PyTorch, any device",
        f"cpu        {_cpu_line(build)}",
        f"cuda       {_cuda_line(build, has_gpu)}",
        f"triton     {_triton_line(has_gpu)}",
        f"valid_conv {engines.report()}",
        f"insisted   {_choice.insisted or 'nothing: the fastest that can run the input is chosen'}",
    ]
    return "\n".join(lines)


def _cpu_line(build: dict[str, str]) -> str:
    if library.cpu_missing:
        return f"missing: {library.cpu_missing}"
    return f"available: {gradient.cpu_instruction_set()}, built by {build.get('cxx', 'an unknown compiler')}"


def _cuda_line(build: dict[str, str], has_gpu: bool) -> str:
    targets = build.get("cuda_architectures")
    if library.cuda_is_emulated:
        missing = library.cuda_missing
        return (
            f"missing: {missing}"
            if missing
            else f"available: emulated on CPU tensors by {library.emulated_library()}"
        )
    if library.cuda_missing:
        built = f" (compiled here for {targets})" if targets else ""
        if build.get("cuda_note"):
            built = f" (left out at install: {build['cuda_note']})"
        return f"missing: {library.cuda_missing}{built}"
    line = (
        f"built by nvcc {build.get('nvcc', '?')} for {targets or '?'};"
        f" needs an NVIDIA driver of at least {build.get('driver', '?')}"
    )
    return f"available: {line}" if has_gpu else f"missing: no CUDA device is visible to torch ({line})"


def _triton_line(has_gpu: bool) -> str:
    missing = triton_missing()
    if missing:
        return f"missing: {missing}"
    version = importlib.import_module("triton").__version__
    if has_gpu:
        return f"available: triton {version}"
    if _triton_interpreted():
        return f"available: triton {version}, interpreted on CPU tensors"
    return f"missing: triton {version} is installed, but no GPU is visible to torch"

"""Which implementation runs, and why.

Every operator has a ``reference`` (plain PyTorch, any device), a ``cuda`` (CUDA C++) and a ``triton``
implementation. ``cpu`` is C++ for all families but the convolutions, which torch's oneDNN computes there. The
pulling-away term of more samples than features runs in torch's own operations whatever is chosen.

The automatic choice takes the fastest implementation that can run the input, and the reference where no other
can. An implementation that the caller requests, by :func:`backend` or by ``EBGAN_KERNELS_BACKEND`` (read
once, at import), either runs or raises :class:`BackendError`.
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
from ebgan_kernels.families import OPERATOR_FAMILIES
from ebgan_kernels.native import devices, gradient, library
from ebgan_kernels.version import __version__

Backend = Literal["reference", "cpu", "cuda", "triton"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)

_environment = os.environ.get("EBGAN_KERNELS_BACKEND") or None
if _environment is not None:
    check_option("the environment variable EBGAN_KERNELS_BACKEND", _environment, BACKENDS)


class BackendError(RuntimeError):
    """The implementation that the caller requested cannot run the input."""


class _Choice(threading.local):
    """The implementation that each thread requests.

    It is a plain attribute, on which torch.compile guards; a ContextVar would break the graph.
    """

    def __init__(self) -> None:
        self.insisted = _environment


_choice = _Choice()


@contextlib.contextmanager
def backend(name: Backend) -> Iterator[None]:
    """Requests one implementation within a ``with`` block, in this thread.

    Without a request, CPU tensors take ``cpu``; inside ``torch.compile`` they take ``reference``, which fuses
    with what surrounds it, for all operators but ``ladder_layer``, whose kernel is faster there too. CUDA
    tensors take ``cuda``, or ``triton`` where the CUDA library is missing. For convolutions ``cpu`` is
    torch's own oneDNN, except for a few small layers, and on CUDA the implementation is chosen layer by layer
    from measurements (``ebgan_kernels.engines``).

    The backward pass of a loss uses the implementation of its forward pass. Under ``torch.compile`` a change
    of implementation recompiles. Double backward and ``torch.func`` transforms always run the reference.

    Raises:
        ValueError: the name is not one of ``BACKENDS``.

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
    """The implementation that this thread requests; None where the choice is automatic."""
    return _choice.insisted  # type: ignore[return-value]


def triton_missing() -> str:
    """Imports the Triton operators at the first call; returns "" or, in one line, why that failed."""
    try:
        for family in OPERATOR_FAMILIES:
            importlib.import_module(f"ebgan_kernels.triton.{family}")
    except ImportError as error:
        if (error.name or "").startswith("ebgan_kernels"):  # a file of ours is missing
            raise
        return f"triton cannot be imported ({error}); pip install triton"
    return ""


# This is all that torch.compiler.assume_constant_result does. Calling it would import torch._dynamo: `import
# ebgan_kernels` took 5.4 s with the call and 0.03 s without (torch 2.13, AMD EPYC, 2026-11-22).
triton_missing._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _triton_interpreted() -> bool:
    return os.environ.get("TRITON_INTERPRET") == "1"


def device_of(name: Backend) -> torch.device:
    """The device whose tensors an implementation takes, which is the CPU where kernels are simulated there.

    The reference takes tensors of any device; for it this is the CPU, which every machine has.
    """
    simulated = {"cuda": library.cuda_is_emulated, "triton": _triton_interpreted()}
    return torch.device("cuda" if name in simulated and not simulated[name] else "cpu")


def _refusal(name: str, of: torch.device) -> str:
    """Why implementation ``name`` cannot run on a device; "" where it can."""
    device = of.type
    if name == "cpu":
        return library.cpu_missing or (
            "" if device == "cpu" else f"it runs on CPU tensors, and these are on {device}"
        )
    if name == "cuda":
        takes = device_of("cuda").type
        if library.cuda_missing or device != takes:
            return library.cuda_missing or f"it runs on {takes.upper()} tensors, and these are on {device}"
        return devices.refusal(of.index or 0)
    if name == "triton":
        if device == "cpu" and device_of("triton").type == "cuda":
            return "it runs on CUDA tensors (on CPU tensors only in Triton's interpreter, TRITON_INTERPRET=1)"
        return triton_missing()
    return ""


def can_run(name: Backend, tensor: Tensor) -> bool:
    """Whether an implementation runs on the device of ``tensor``."""
    return not _refusal(name, tensor.device)


def missing(name: Backend) -> str:
    """Why an implementation cannot run on this machine, in one line; "" where it can."""
    device = device_of(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        uninstalled = library.cuda_missing if name == "cuda" else triton_missing()
        return uninstalled or "no CUDA device is visible to torch"
    return _refusal(name, device)


def select(tensor: Tensor, *, fuses: bool = True) -> Backend:
    """The implementation for an operator whose inputs are on the device of ``tensor``.

    ``fuses`` says whether torch.compile makes of the reference, with what surrounds it, something as fast as
    the CPU kernel.
    """
    compiling = torch.compiler.is_compiling()
    if not compiling and torch._C._are_functorch_transforms_active():
        # torch.func transforms refuse an autograd.Function whose forward takes ctx; plain PyTorch they take.
        return "reference"
    insisted = _choice.insisted
    if insisted is not None:
        refusal = _refusal(insisted, tensor.device)
        if refusal:
            raise BackendError(f"backend {insisted!r} was requested but cannot run: {refusal}")
        return insisted  # type: ignore[return-value]
    if tensor.is_cpu:
        # An opaque operator keeps torch.compile from fusing what surrounds it, which costs more than the
        # faster loss saves: an auto-encoder's step at 64x3x64x64 took 9.9 ms with the reference and 11.1 ms
        # with "cpu", at 64x1x28x28 0.85 and 0.92 ms (float32, 2 cores of an AMD EPYC, torch 2.13,
        # 2026-11-22).
        return "reference" if (compiling and fuses) or library.cpu_missing else "cpu"
    if tensor.is_cuda:
        if not library.cuda_missing and not devices.refusal(tensor.device.index):
            return "cuda"
        return "reference" if triton_missing() else "triton"
    return "reference"


def backend_report() -> str:
    """Which implementations can run here, why others cannot, and how they were built, as lines of text.

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
        f"requested  {_choice.insisted or 'none: the fastest that can run the input is chosen'}",
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
    if not has_gpu:
        return f"missing: no CUDA device is visible to torch ({line})"
    refused = [devices.refusal(index) for index in range(torch.cuda.device_count())]
    if all(refused):
        return f"missing: {refused[0]}"
    return f"available: {line}" + "".join(f"; not on cuda:{i}: {why}" for i, why in enumerate(refused) if why)


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

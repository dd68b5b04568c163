"""Measures operators: every implementation of each, on given inputs, in three modes, side by side.

Variants of one comparison:

eager               the reference, plain PyTorch
torch.compile       the reference, compiled
max-autotune        the same with that mode (for the device clock without its own CUDA graphs)
cpu, cuda, triton   ours, called as users call them, checks and autograd included
streaming           a pass over the same bytes that allocates as much: what memory allows
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks.command import Session
from benchmarks.memory import peak_extra_bytes
from benchmarks.rows import OperatorRow
from benchmarks.timing import Clock, Timing, Variant, copies_beyond_cache, device_times, wall_times
from ebgan_kernels import Backend
from ebgan_kernels.backends import select

Mode = Literal["forward", "forward+backward", "forward+backward, gradient 0.5"]
MODES: tuple[Mode, ...] = get_args(Mode)
HALF: Mode = "forward+backward, gradient 0.5"
Layout = Literal["contiguous", "channels_last"]
COMPILED = ("torch.compile", "max-autotune")


@dataclass(frozen=True)
class Operator:
    """An operator, and what it takes to measure it.

    `arguments(shape, dtype)` draws its tensors, those that want a gradient as leaves that require it.
    `stream` makes a pass over the same bytes in a mode; `bytes` counts them. A scalar loss scales stored
    gradients by an incoming gradient other than 1, which costs: a mode of its own. Per-sample results have
    no such case.
    """

    name: str
    arguments: Callable[[tuple[int, ...], torch.dtype], tuple[Tensor, ...]]
    reference: Callable[..., Tensor]
    fused: Callable[..., Tensor]
    stream: Callable[[tuple[Tensor, ...], Mode], object]
    bytes: Callable[[tuple[Tensor, ...], Mode], int]
    modes: tuple[Mode, ...] = MODES


@dataclass(frozen=True)
class Case:
    """One operator on one kind of input."""

    operator: Operator
    shape: tuple[int, ...]
    dtype: torch.dtype = torch.float32
    layout: Layout = "contiguous"


@dataclass(frozen=True)
class Inputs:
    """The arguments of one call, its leaves, and an incoming gradient of one half."""

    arguments: tuple[Tensor, ...]
    leaves: tuple[Tensor, ...]
    half: Tensor

    def copy(self) -> Inputs:
        """The same values in memory of their own, leaves kept leaves."""
        arguments = tuple(x.detach().clone().requires_grad_(x.requires_grad) for x in self.arguments)
        return Inputs(arguments, tuple(x for x in arguments if x.requires_grad), self.half)


def available_implementations(device: torch.device) -> tuple[Backend, ...]:
    """Ours that run on this device. Triton's interpreter is no implementation to time."""
    probe = torch.empty(0, device=device)
    found: list[Backend] = []
    for name in ebgan_kernels.BACKENDS:
        if name == "reference" or (name == "triton" and device.type == "cpu"):
            continue
        # Only asks: a kernel that is there and fails must end the benchmark, not leave it.
        with contextlib.suppress(RuntimeError), ebgan_kernels.backend(name):
            found.append(select(probe))
    return tuple(found)


def measure(case: Case, *, device: torch.device, copy_gb_per_s: float, quick: bool) -> Iterator[OperatorRow]:
    """Rows of every mode, clock and implementation. `quick` is too brief to quote and tunes nothing."""
    torch._dynamo.reset()
    inputs = draw(case, device)
    implementations, input_bytes = available_implementations(device), byte_count(inputs.arguments)
    for mode in case.operator.modes:
        wall = _variants(case.operator, mode, implementations, inside_graph=False, quick=quick)
        clocks: list[tuple[Clock, Mapping[str, Variant], dict[str, Timing]]] = [
            ("wall", wall, wall_times(wall, inputs, device=device, quick=quick))
        ]
        if device.type == "cuda":
            graphed = _variants(case.operator, mode, implementations, inside_graph=True, quick=quick)
            copies = [inputs.copy() for _ in range(copies_beyond_cache(input_bytes, device))]
            clocks.append(("device", graphed, device_times(graphed, copies)))
        # The variants of the last clock are those whose memory is not hidden in a CUDA graph of their own.
        variants = clocks[-1][1]
        errors = {
            name: _error(case, variants[name], inputs, mode) for name in variants if name != "streaming"
        }
        memory = {name: _peak(variant, inputs, device) for name, variant in variants.items()}
        moved = case.operator.bytes(inputs.arguments, mode)
        for clock, _, timings in clocks:
            compiled = [timings[name].median_ms for name in COMPILED if name in timings]
            for name, timing in timings.items():
                error, eager_error = errors.get(name), errors["eager"]
                bandwidth = moved / timing.median_ms / 1e6
                yield OperatorRow(
                    operator=case.operator.name,
                    shape=case.shape,
                    dtype=str(case.dtype).removeprefix("torch."),
                    layout=case.layout,
                    mode=mode,
                    implementation=name,
                    clock=clock,
                    median_ms=timing.median_ms,
                    iqr_ms=timing.iqr_ms,
                    speedup_over_eager=timings["eager"].median_ms / timing.median_ms,
                    speedup_over_compile=min(compiled) / timing.median_ms if compiled else None,
                    bytes=moved,
                    gb_per_s=bandwidth,
                    percent_of_copy=100 * bandwidth / copy_gb_per_s,
                    peak_extra_bytes=memory[name],
                    error=error,
                    error_over_eager=None if error is None or not eager_error else error / eager_error,
                )


def record_cases(session: Session, cases: Sequence[Case], quick_cases: Sequence[Case]) -> None:
    """Measure the cases in their order, with `--quick` the quick ones, until the budget is spent."""
    torch.manual_seed(0)
    copy = session.environment.copy_gb_per_s
    for case in quick_cases if session.quick else cases:
        if session.time_left(f"{case.operator.name} {case.shape} {case.dtype} {case.layout}"):
            session.record(measure(case, device=session.device, copy_gb_per_s=copy, quick=session.quick))


def byte_count(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def one_pass_bytes(arguments: tuple[Tensor, ...], mode: Mode) -> int:
    """The bytes of every tensor read once and, with a backward, every leaf's gradient written once."""
    written = byte_count(tensor for tensor in arguments if tensor.requires_grad)
    return byte_count(arguments) + (0 if mode == "forward" else written)


def read_or_copied(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    """A pass over the bytes of an operator whose arguments all want a gradient."""
    return [tensor.sum() if mode == "forward" else tensor.clone() for tensor in arguments]


def draw(case: Case, device: torch.device) -> Inputs:
    """Fresh arguments on the device, leaves kept leaves."""
    arguments = tuple(
        _placed(tensor, device, case.layout) for tensor in case.operator.arguments(case.shape, case.dtype)
    )
    leaves = tuple(tensor for tensor in arguments if tensor.requires_grad)
    with torch.no_grad():
        half = torch.full_like(case.operator.reference(*arguments), 0.5)
    return Inputs(arguments, leaves, half)


def _placed(tensor: Tensor, device: torch.device, layout: Layout) -> Tensor:
    placed = tensor.detach().to(device)
    if layout == "channels_last" and placed.dim() == 4:
        placed = placed.contiguous(memory_format=torch.channels_last)
    return placed.requires_grad_(tensor.requires_grad)


def _variants(
    operator: Operator, mode: Mode, implementations: Sequence[Backend], *, inside_graph: bool, quick: bool
) -> dict[str, Variant]:
    grad = torch.no_grad if mode == "forward" else nullcontext

    def within(name: Backend) -> Callable[[], AbstractContextManager[object]]:
        @contextlib.contextmanager
        def scope() -> Iterator[None]:
            with grad(), ebgan_kernels.backend(name):
                yield

        return scope

    tuned = "max-autotune-no-cudagraphs" if inside_graph else "max-autotune"
    variants = {
        "eager": Variant(_runner(operator.reference, mode), grad),
        "torch.compile": Variant(_runner(torch.compile(operator.reference, dynamic=False), mode), grad),
    }
    if not quick:
        tuned_reference = torch.compile(operator.reference, dynamic=False, mode=tuned)
        variants["max-autotune"] = Variant(_runner(tuned_reference, mode), grad)
    for name in implementations:
        variants[name] = Variant(_runner(operator.fused, mode), within(name))
    variants["streaming"] = Variant(lambda inputs: operator.stream(inputs.arguments, mode), torch.no_grad)
    return variants


def _runner(function: Callable[..., Tensor], mode: Mode) -> Callable[[Inputs], Tensor]:
    """One call: the old gradients dropped, forward, and in the other modes backward into fresh `.grad`."""
    if mode == "forward":
        return lambda inputs: function(*inputs.arguments)

    def run(inputs: Inputs) -> Tensor:
        for leaf in inputs.leaves:
            leaf.grad = None
        result = function(*inputs.arguments)
        result.backward(inputs.half if mode == HALF or result.dim() else None)
        return result

    return run


def _outputs(variant: Variant, inputs: Inputs) -> list[Tensor]:
    """The result and the gradients that are there after it, in float64."""
    for leaf in inputs.leaves:
        leaf.grad = None
    with variant.scope():
        result = variant.run(inputs)
    assert isinstance(result, Tensor)
    gradients = [leaf.grad for leaf in inputs.leaves if leaf.grad is not None]
    return [tensor.detach().double() for tensor in (result, *gradients)]


def _error(case: Case, variant: Variant, inputs: Inputs, mode: Mode) -> float:
    arguments = tuple(
        tensor.detach().double().requires_grad_(tensor.requires_grad) for tensor in inputs.arguments
    )
    leaves = tuple(tensor for tensor in arguments if tensor.requires_grad)
    exact = Inputs(arguments, leaves, inputs.half.double())
    scope = torch.no_grad if mode == "forward" else nullcontext
    wanted = _outputs(Variant(_runner(case.operator.reference, mode), scope), exact)
    found = _outputs(variant, inputs)
    return max(float((ours - true).norm() / true.norm()) for ours, true in zip(found, wanted, strict=True))


def _peak(variant: Variant, inputs: Inputs, device: torch.device) -> int:
    for leaf in inputs.leaves:
        leaf.grad = None
    with variant.scope():
        return peak_extra_bytes(lambda: variant.run(inputs), device)

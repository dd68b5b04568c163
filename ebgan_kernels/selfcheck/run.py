"""Runs one case on one implementation, beside the reference on the same device, and judges and times it."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend, BackendError, backend, device_of
from ebgan_kernels.selfcheck.accuracy import Verdict, judge
from ebgan_kernels.selfcheck.case import Case

RowOutcome = Literal["passed", "FAILED", "cannot run"]
SEEDS = 3
TIMING_SECONDS, MOST_TIMINGS = 0.1, 11
# A case of more elements than this is drawn once instead of SEEDS times.
MANY_ELEMENTS = 300_000
# Kernels that run in a simulation on the CPU take a thousand times as long, so only cases of at most this
# many elements run there, each drawn once.
SIMULATED_ELEMENTS = 2048
# The first backward pass of a graph may hand out a stored gradient, as it is or scaled; the second computes
# it again. Each pass is (its name, the factor of the loss). Where no gradient is wanted, kernels take another
# path.
ALONE = ((", loss", 1.0),)
RETAINED = ((", 3 loss", 3.0), (", then 5 loss through the same graph", 5.0))
VALUE_ALONE = ", no gradient wanted"


@dataclass(frozen=True)
class Row:
    """The outcome of a case on an implementation.

    The errors, in ulp, belong to ``worst``, the result nearest its bound. Errors and times are None where
    they were not measured.
    """

    operator: str
    inputs: str
    dtypes: str
    implementation: Backend
    device: str
    outcome: RowOutcome
    reason: str = ""
    worst: str = ""
    error: float | None = None
    reference_error: float | None = None
    milliseconds: float | None = None
    reference_milliseconds: float | None = None


def is_simulated(implementation: Backend) -> bool:
    """Whether kernels that are written for a GPU run on CPU tensors."""
    return implementation in ("cuda", "triton") and device_of(implementation).type == "cpu"


def cases_for(implementation: Backend, cases: Sequence[Case]) -> list[Case]:
    """The cases that an implementation can finish in time."""
    if not is_simulated(implementation):
        return list(cases)
    return [case for case in cases if _elements(case) <= SIMULATED_ELEMENTS]


def _elements(case: Case) -> int:
    return sum(x.numel() for x in case.draw(torch.Generator()))


def unchecked_row(case: Case, implementation: Backend, outcome: RowOutcome, reason: str) -> Row:
    """A row without figures, with the first line of the reason."""
    return Row(
        operator=case.operator,
        inputs=case.inputs_in_words,
        dtypes=case.dtypes_in_words,
        implementation=implementation,
        device=str(device_of(implementation)),
        outcome=outcome,
        reason=reason.strip().partition("\n")[0],
    )


def check(case: Case, implementation: Backend) -> Row:
    """Checks a case and never raises: an operator's exception becomes the reason of its row."""
    try:
        return _checked(case, implementation)
    except (BackendError, torch.OutOfMemoryError) as error:
        return unchecked_row(case, implementation, "cannot run", f"{error}")
    except Exception as error:  # The other operators must be checked whatever went wrong here.
        return unchecked_row(case, implementation, "FAILED", f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def float32_as_it_is() -> Iterator[None]:
    """Switches TF32 off, which has 10 bits where float32 has 23, and restores the settings afterwards."""
    backends: Any = torch.backends
    settings = (backends.cudnn.conv, backends.cuda.matmul)
    before = [setting.fp32_precision for setting in settings]
    for setting in settings:
        setting.fp32_precision = "ieee"
    try:
        yield
    finally:
        for setting, precision in zip(settings, before, strict=True):
            setting.fp32_precision = precision


@dataclass(frozen=True)
class _Inputs:
    """The inputs of one seed: tensors, the incoming gradient of each result, and the exact results."""

    tensors: list[Tensor]
    incoming: dict[str, Tensor]
    exact: dict[str, Tensor]


def _checked(case: Case, implementation: Backend) -> Row:
    device = device_of(implementation)
    ours, references, exacts = [], [], []
    for seed in range(1 if is_simulated(implementation) or _elements(case) > MANY_ELEMENTS else SEEDS):
        inputs = _inputs(case, seed, device)
        exacts.append(inputs.exact)
        with backend("reference"):
            references.append(_values_and_gradients(case, inputs))
        with backend(implementation):
            ours.append(_values_and_gradients(case, inputs))
    verdicts: dict[str, Verdict] = {}
    for name in exacts[0]:
        if wrong_kind := _other_kind(ours[0][name], references[0][name]):
            return unchecked_row(case, implementation, "FAILED", f"{name} {wrong_kind}")
        of_seeds = ([of_seed[name] for of_seed in kind] for kind in (ours, references, exacts))
        verdicts[name] = judge(*of_seeds, allowed=case.allowed, cancelling=case.cancelling)
    worst = max(verdicts, key=lambda name: verdicts[name].severity)
    verdict = verdicts[worst]
    times = {} if is_simulated(implementation) else _times(case, inputs, implementation)
    return Row(
        operator=case.operator,
        inputs=case.inputs_in_words,
        dtypes=case.dtypes_in_words,
        implementation=implementation,
        device=str(device),
        outcome="passed" if verdict.passed else "FAILED",
        reason="" if verdict.passed else f"{worst}: {verdict}",
        worst=worst,
        error=verdict.error,
        reference_error=verdict.reference_error,
        milliseconds=times.get(implementation),
        reference_milliseconds=times.get("reference"),
    )


def _inputs(case: Case, seed: int, device: torch.device) -> _Inputs:
    """Draws the inputs; exact results are computed on the CPU from the tensors as they are rounded."""
    tensors = case.tensors(seed, device)
    doubles = [x.detach().cpu().double().requires_grad_(x.requires_grad) for x in tensors]
    with backend("reference"):
        results = case.results(doubles)
        with torch.no_grad():
            smooth = case.before_activation(doubles)
        incoming = {
            name: _incoming(smooth[name]) for name, result in results.items() if result.grad_fn is not None
        }
        gradients = _gradients(case, doubles, results, incoming, 1.0, retain=False)
    exact = {name + words: x.detach() for words in ("", VALUE_ALONE) for name, x in results.items()}
    for words, factor in (*ALONE, *RETAINED):
        exact.update({name + words: factor * gradient for name, gradient in gradients.items()})
    return _Inputs(tensors, {name: x.to(device) for name, x in incoming.items()}, exact)


def _incoming(smooth: Tensor) -> Tensor:
    """An incoming gradient that every dtype holds exactly, even five times it.

    It is 0 where rounding may decide on which side of 0 a result lies, and thus the slope of its activation.
    """
    if smooth.dim() == 0:
        return torch.ones_like(smooth)
    quarters = torch.randint(-4, 5, smooth.shape, generator=torch.Generator().manual_seed(0)).double() / 4
    return quarters * (smooth.abs() > 1e-4 * smooth.abs().max())


def _values_and_gradients(case: Case, inputs: _Inputs) -> dict[str, Tensor]:
    """The results that ``exact`` holds, computed by the current implementation and moved to the CPU."""
    with torch.no_grad():
        found = {name + VALUE_ALONE: result for name, result in case.results(inputs.tensors).items()}
    for graph in (ALONE, RETAINED):
        results = case.results(inputs.tensors)
        found.update({name: result.detach() for name, result in results.items()})
        for words, factor in graph:
            retain = (words, factor) != graph[-1]
            gradients = _gradients(case, inputs.tensors, results, inputs.incoming, factor, retain=retain)
            found.update({name + words: gradient for name, gradient in gradients.items()})
    return {name: tensor.cpu() for name, tensor in found.items()}


def _gradients(
    case: Case,
    tensors: Sequence[Tensor],
    results: Mapping[str, Tensor],
    incoming: Mapping[str, Tensor],
    factor: float,
    *,
    retain: bool,
) -> dict[str, Tensor]:
    wanted = {name: x for name, x in zip(case.names, tensors, strict=True) if x.requires_grad}
    outputs = [results[name] for name in incoming]
    arriving = [(factor * x).to(output.dtype) for x, output in zip(incoming.values(), outputs, strict=True)]
    found = torch.autograd.grad(outputs, list(wanted.values()), arriving, retain_graph=retain)
    return {f"gradient of {name}": gradient for name, gradient in zip(wanted, found, strict=True)}


def _other_kind(ours: Tensor, reference: Tensor) -> str:
    """How a result's dtype or shape differs from the reference's; "" where neither does."""
    if (ours.dtype, ours.shape) == (reference.dtype, reference.shape):
        return ""
    kinds = [f"{str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}" for x in (ours, reference)]
    return f"is {kinds[0]}, the reference's {kinds[1]}"


def _times(case: Case, inputs: _Inputs, implementation: Backend) -> dict[Backend, float]:
    """Median milliseconds of a forward and backward pass; the two implementations are timed in turn."""
    device = device_of(implementation)

    def step() -> None:
        results = case.results(inputs.tensors)
        _gradients(case, inputs.tensors, results, inputs.incoming, 1.0, retain=False)

    samples: dict[Backend, list[float]] = {implementation: [], "reference": []}
    end = time.perf_counter() + TIMING_SECONDS
    while len(samples["reference"]) < MOST_TIMINGS and (
        not samples["reference"] or time.perf_counter() < end
    ):
        for name, of_name in samples.items():
            with backend(name):
                of_name.append(_milliseconds(step, device))
    return {name: statistics.median(of_name) for name, of_name in samples.items()}


def _milliseconds(step: Callable[[], None], device: torch.device) -> float:
    _synchronise(device)
    begun = time.perf_counter()
    step()
    _synchronise(device)
    return (time.perf_counter() - begun) * 1e3


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)

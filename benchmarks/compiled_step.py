"""The loss inside a compiled training step.

Inductor fuses a plain PyTorch loss with the layer before it; an opaque operator prevents that, and must
not cost more than it gains. The step is a discriminator's, forward and backward, with a thin auto-encoder
(D -> 16 -> D, tanh), so that the loss and the layer it could be fused with weigh as much as they ever do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

import ebgan_kernels
from benchmarks.operators import available_implementations
from benchmarks.rows import StepRow
from benchmarks.timing import Variant, wall_times

SHAPES = ((64, 3, 64, 64), (64, 1, 28, 28))
CODE_SIZE = 16


@dataclass(frozen=True)
class StepInputs:
    real: Tensor
    fake: Tensor
    margin: Tensor


def measure_compiled_steps(device: torch.device, *, quick: bool) -> Iterator[StepRow]:
    """Rows named after the loss in the compiled step; `eager` is the step with the reference, uncompiled."""
    for shape in SHAPES[-1:] if quick else SHAPES:
        torch._dynamo.reset()
        yield from _measure(shape, device, quick=quick)


def _measure(shape: tuple[int, ...], device: torch.device, *, quick: bool) -> list[StepRow]:
    network = _auto_encoder(shape).to(device)
    images = torch.rand(2, *shape, device=device) * 2 - 1
    with torch.no_grad():
        margin = 1.1 * ebgan_kernels.reconstruction_energy(network(images[1]), images[1]).mean()
    inputs = StepInputs(images[0], images[1], margin)

    insisting = partial(partial, ebgan_kernels.backend)
    variants = {"eager": Variant(_step(network, compiled=False), insisting("reference"))}
    for name in ("reference", *available_implementations(device)):
        variants[f"compiled, {name} loss"] = Variant(_step(network, compiled=True), insisting(name))
    timings = wall_times(variants, inputs, device=device, quick=quick)
    job = f"auto-encoder D-{CODE_SIZE}-D at {'x'.join(map(str, shape))}, forward+backward"
    return StepRow.group("discriminator step", job, shape[0], timings)


def _auto_encoder(shape: tuple[int, ...]) -> nn.Module:
    elements = torch.Size(shape[1:]).numel()
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(elements, CODE_SIZE),
        nn.ReLU(),
        nn.Linear(CODE_SIZE, elements),
        nn.Tanh(),
        nn.Unflatten(1, shape[1:]),
    )


def _step(network: nn.Module, *, compiled: bool) -> Callable[[StepInputs], None]:
    def loss_of(real: Tensor, fake: Tensor, margin: Tensor) -> Tensor:
        return ebgan_kernels.discriminator_loss(network(real), real, network(fake), fake, margin=margin).loss

    function = torch.compile(loss_of, dynamic=False, fullgraph=True) if compiled else loss_of

    def step(inputs: StepInputs) -> None:
        network.zero_grad(set_to_none=True)
        function(inputs.real, inputs.fake, inputs.margin).backward()

    return step

"""Small calls of the operators that a defect of a kernel must show in: each is compared with the reference.

    python workloads.py NAME

Runs one in a process of its own, with the library that EBGAN_KERNELS_EMULATE_CUDA names; prints "right", or
what is wrong, and says so by its exit status.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels as ek

Results = list[Tensor]
MOST_SECONDS = 120  # of the processor


def _drawn(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(shape).to(dtype)


def _with_gradients(result: Tensor, inputs: Sequence[Tensor]) -> Results:
    return [result.detach(), *torch.autograd.grad(result.sum(), inputs)]


def discriminator(inputs: Sequence[Tensor]) -> Results:
    return _with_gradients(ek.discriminator_loss(*inputs, margin=20.0).loss, inputs)


def generator(inputs: Sequence[Tensor]) -> Results:
    return _with_gradients(ek.generator_loss(*inputs), inputs)


def reconstruction_energy(inputs: Sequence[Tensor]) -> Results:
    return [ek.reconstruction_energy(*inputs)]


def pulling_away(inputs: Sequence[Tensor]) -> Results:
    return _with_gradients(ek.pulling_away(*inputs), inputs)


def pulling_away_value(inputs: Sequence[Tensor]) -> Results:
    return [ek.pulling_away(inputs[0].detach())]


def prediction_loss(inputs: Sequence[Tensor]) -> Results:
    return _with_gradients(ek.prediction_loss(*inputs), inputs)


def multiscale_prediction_loss(inputs: Sequence[Tensor]) -> Results:
    *predictions, target = inputs
    return _with_gradients(ek.multiscale_prediction_loss(predictions, target.detach()), predictions)


def gaussian_combinator(inputs: Sequence[Tensor]) -> Results:
    return _with_gradients(ek.gaussian_combinator(*inputs), inputs)


def ladder_layer(inputs: Sequence[Tensor]) -> Results:
    x, beta = inputs
    layer = ek.ladder_layer(x, beta=beta, activation="relu")
    return [layer.mean.detach(), layer.std.detach(), *_with_gradients(layer.h.square(), inputs)]


def valid_conv(inputs: Sequence[Tensor]) -> Results:
    output = ek.valid_conv2d(*inputs, activation="leaky_relu")
    return _with_gradients(output.square(), inputs)


def scale_gradients(inputs: Sequence[Tensor]) -> Results:
    """A scale for each of two parts of a gradient that begins four bytes behind a vector."""
    gradient = torch.cat((torch.zeros(1), inputs[0].detach().flatten()))[1:].view_as(inputs[0])
    torch.ops.ebgan_kernels.scale_gradients_([gradient], torch.tensor([2.0, 3.0]))
    return [gradient]


def scaled(inputs: Sequence[Tensor]) -> Results:
    return [inputs[0].detach() * torch.tensor([[2.0], [3.0]])]


@dataclass(frozen=True)
class Workload:
    """Results are compared with those of `exact` in float64, or without it of `run` on the reference."""

    run: Callable[[Sequence[Tensor]], Results]
    inputs: Callable[[], list[Tensor]]
    exact: Callable[[Sequence[Tensor]], Results] | None = None
    device: str = "large"  # EMULATOR_DEVICE


HALF = torch.float16
WORKLOADS = {
    # More than two warps of energies; samples of an odd size, so that most begin on no vector.
    "discriminator": Workload(discriminator, lambda: [_drawn(n, 3, 5, 7) for n in (70, 70, 90, 90)]),
    # A cluster of four blocks for each sample.
    "cluster": Workload(generator, lambda: [_drawn(2, 3, 64, 64) for _ in range(2)]),
    # Clusters of eight blocks that take more than half of a multiprocessor's shared memory each.
    "large_sample": Workload(generator, lambda: [_drawn(1, 3, 320, 320) for _ in range(2)]),
    "large_sample_crowded": Workload(
        generator, lambda: [_drawn(1, 3, 320, 320) for _ in range(2)], device="crowded"
    ),
    "energy": Workload(reconstruction_energy, lambda: [_drawn(3, 11) for _ in range(2)]),
    # The last block has rows for half of its warps; where codes outnumber dimensions, no kernel runs.
    "pulling_away": Workload(pulling_away, lambda: [_drawn(12, 40)]),
    # The norms of the columns pass through shared memory twice.
    "pulling_away_many": Workload(pulling_away_value, lambda: [_drawn(1032, 1040)]),
    "prediction_loss": Workload(prediction_loss, lambda: [_drawn(2, 3, 19, 23) for _ in range(2)]),
    "multiscale": Workload(
        multiscale_prediction_loss,
        lambda: [_drawn(1, 2, 24, 40), _drawn(1, 2, 48, 80), _drawn(1, 2, 96, 160), _drawn(1, 2, 96, 160)],
    ),
    # The second tile of units has eight.
    "combinator": Workload(
        gaussian_combinator, lambda: [_drawn(2, 21, 40), _drawn(2, 21, 40), _drawn(2, 10, 40)]
    ),
    "ladder_layer": Workload(ladder_layer, lambda: [_drawn(2, 2, 21, 40), _drawn(2, 40)]),
    # A sum of 288 terms to 24 maps on the tensor cores; its gradients with padding, and cut into parts.
    "conv": Workload(
        valid_conv, lambda: [_drawn(2, 32, 12, 11, dtype=HALF), _drawn(24, 32, 3, 3, dtype=HALF) / 16]
    ),
    # A sum of 12 terms, too short for the tensor cores, to more maps than four.
    "conv_direct": Workload(
        valid_conv, lambda: [_drawn(2, 3, 9, 8, dtype=HALF), _drawn(12, 3, 2, 2, dtype=HALF)]
    ),
    # Three maps; channels for the small tile in the gradient, which is the one that copies have.
    "conv_few": Workload(
        valid_conv, lambda: [_drawn(1, 24, 10, 9, dtype=HALF), _drawn(3, 24, 5, 5, dtype=HALF) / 16]
    ),
    # 2 parts of 10,000 numbers: more than a block scales at a time.
    "scale": Workload(scale_gradients, lambda: [_drawn(2, 10000)], scaled),
}


def mistake(ours: Results, exacts: Results) -> str:
    """Of results, what is wrong with them; "" where each is within the rounding of its type."""
    for i, (our, exact) in enumerate(zip(ours, exacts, strict=True)):
        if our.isnan().any() and not exact.isnan().any():
            return f"wrong: {int(our.isnan().sum())} of {our.numel()} elements of result {i} are NaN"
        allowed = (2e-2 if our.dtype == HALF else 1e-4) * float(exact.abs().max())
        off = float((our.double() - exact).abs().max())
        if off > allowed:
            return f"wrong: result {i} is {off:.3g} from the exact one, {allowed:.3g} is allowed"
    return ""


def main() -> int:
    # A kernel that never ends is killed, however busy the machine is.
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    workload = WORKLOADS[sys.argv[1]]
    torch.manual_seed(0)
    inputs = workload.inputs()
    with ek.backend("reference"):
        exacts = (workload.exact or workload.run)([x.double().requires_grad_() for x in inputs])
    with ek.backend("cuda"):
        ours = workload.run([x.clone().requires_grad_() for x in inputs])
    said = mistake(ours, exacts)
    print(said or "right")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())

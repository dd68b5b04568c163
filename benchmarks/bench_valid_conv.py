"""Valid convolutions: `python -m benchmarks.bench_valid_conv [--quick] [--device cpu|cuda] [--output DIR]`.

Every convolution of both video discriminators with its ReLU, from leaf tensors, and the discriminators whole:
forward and backward, and forward alone. The first line of a group is the faster of torch's own in the two
layouts, contiguous (NCHW) and channels-last, and the others are compared with it. On CUDA float32 is TF32
where torch's settings say so, and layers come compiled, too; on a CPU a compiled convolution is the same call
of oneDNN. There a convolution with ReLU as oneDNN's post-op is a line of its own.

Floor of a layer: input, weights and output moved once forward, twice more backward, or its multiplications,
2 N O OH OW C KH KW of them forward and twice as many backward.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks.command import Session, open_session
from benchmarks.operators import Layout, available_implementations
from benchmarks.rows import Row, StepRow
from benchmarks.timing import Timing, Variant, copies_beyond_cache, device_times, wall_times
from benchmarks.valid_conv_discriminator import discriminator_rows
from ebgan.video import NETS
from ebgan_kernels import Backend
from ebgan_kernels.reference import valid_conv as reference

# The README and the pictures show these operators.
HEADLINE: tuple[str, ...] = ()

LAYOUTS: Mapping[Layout, torch.memory_format] = {
    "contiguous": torch.contiguous_format,
    "channels_last": torch.channels_last,
}
JOBS = ("forward+backward", "forward")
COARSEST = 4  # pixels


@dataclass(frozen=True)
class ConvolutionLayer:
    """Square images to maps by a square kernel; `place` says where in the tables of arXiv:1511.05440."""

    place: str
    channels: int
    side: int
    maps: int
    kernel: int

    def __str__(self) -> str:
        return (
            f"{self.place}: {self.channels} -> {self.maps}, {self.kernel}x{self.kernel}"
            f" of {self.side}x{self.side}"
        )


def layers_of(name: str) -> list[ConvolutionLayer]:
    """The convolutions of all scales of a discriminator, coarse to fine."""
    layers = []
    for level, scale in enumerate(NETS[name].discriminator):
        channels, side = 3 * NETS[name].clip_frames, COARSEST << level
        for depth, (maps, kernel) in enumerate(zip(scale.maps, scale.kernels, strict=True)):
            place = f"{name} D{level + 1} layer {depth + 1}"
            layers.append(ConvolutionLayer(place, channels, side, maps, kernel))
            channels, side = maps, side - kernel + 1
    return layers


LAYERS = [layer for name in ("8to8", "4to1") for layer in layers_of(name)]


@dataclass(frozen=True)
class Case:
    layer: ConvolutionLayer
    batch: int
    dtype: torch.dtype = torch.float32

    @property
    def bytes(self) -> int:
        layer, left = self.layer, self.layer.side - self.layer.kernel + 1
        images = self.batch * (layer.channels * layer.side**2 + layer.maps * left**2)
        return self.dtype.itemsize * (images + layer.maps * layer.channels * layer.kernel**2)


def cases_of(device: torch.device) -> list[Case]:
    """The cases to measure, the most wanted first: a budget ends the run where it is spent."""
    batches, dtypes = (
        ((8, 64), (torch.float32, torch.bfloat16)) if device.type == "cuda" else ((8,), (torch.float32,))
    )
    return [Case(layer, batch, dtype) for batch, dtype, layer in itertools.product(batches, dtypes, LAYERS)]


Arguments = tuple[Tensor, Tensor, Tensor, Tensor]
Inputs = Mapping[Layout, Arguments]


def draw(case: Case, device: torch.device) -> Inputs:
    """Input, weight and bias, leaves all, and an incoming gradient, in each layout."""
    layer, left = case.layer, case.layer.side - case.layer.kernel + 1
    shapes = (
        (case.batch, layer.channels, layer.side, layer.side),
        (layer.maps, layer.channels, layer.kernel, layer.kernel),
        (layer.maps,),
        (case.batch, layer.maps, left, left),
    )
    scale = (layer.channels * layer.kernel**2) ** -0.5
    drawn = [torch.randn(shape).mul_(scale if i == 1 else 1) for i, shape in enumerate(shapes)]

    def placed(tensor: Tensor, form: torch.memory_format) -> Tensor:
        moved = tensor.to(device, case.dtype, copy=True)
        return moved.contiguous(memory_format=form) if tensor.dim() == 4 else moved

    found: dict[Layout, Arguments] = {}
    for layout, form in LAYOUTS.items():
        input, weight, bias, gradient = (placed(tensor, form) for tensor in drawn)
        found[layout] = input.requires_grad_(), weight.requires_grad_(), bias.requires_grad_(), gradient
    return found


def copies_of(inputs: Inputs, count: int) -> list[Inputs]:
    """The inputs `count` times, each in memory of its own."""

    def copy(arguments: Arguments) -> Arguments:
        input, weight, bias, gradient = (tensor.detach().clone() for tensor in arguments)
        return input.requires_grad_(), weight.requires_grad_(), bias.requires_grad_(), gradient

    return [{layout: copy(arguments) for layout, arguments in inputs.items()} for _ in range(count)]


def _torch(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return reference.valid_conv2d(input, weight, bias, "relu")


def _ours(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return ebgan_kernels.valid_conv2d(input, weight, bias, activation="relu")


def _post_op(input: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """oneDNN's own fusion, which torch has for inference alone."""
    convolve = torch.ops.mkldnn._convolution_pointwise
    return convolve(input, weight, bias, [0, 0], [1, 1], [1, 1], 1, "relu", [], "")  # type: ignore[no-any-return]


def _run(function: Callable[..., Tensor], layout: Layout, backward: bool, inputs: Inputs) -> Tensor:
    *layer, gradient = inputs[layout]
    if not backward:
        return function(*layer)
    for leaf in layer:
        leaf.grad = None
    output = function(*layer)
    output.backward(gradient)
    return output


def variants_of(device: torch.device, job: str, *, compiled: bool) -> dict[str, Variant]:
    """The variants by name and layout: "torch, contiguous", "cpu, channels_last", and so on."""
    backward = job == "forward+backward"

    @contextlib.contextmanager
    def scope(implementation: Backend) -> Iterator[None]:
        with torch.set_grad_enabled(backward), ebgan_kernels.backend(implementation):
            yield

    functions: list[tuple[str, Callable[..., Tensor], Backend]] = [("torch", _torch, "reference")]
    if compiled:
        functions.append(("torch.compile", torch.compile(_torch, dynamic=False), "reference"))
    if device.type == "cpu" and not backward:
        functions.append(("torch, ReLU as oneDNN's post-op", _post_op, "reference"))
    functions += [(name, _ours, name) for name in available_implementations(device)]
    return {
        f"{name}, {layout}": Variant(
            partial(_run, function, layout, backward), partial(scope, implementation)
        )
        for name, function, implementation in functions
        for layout in LAYOUTS
    }


def timings_of(case: Case, job: str, device: torch.device, *, quick: bool) -> dict[str, Timing]:
    """Timings by wall clock on a CPU, device clock on CUDA; the faster of torch's layouts comes first."""
    torch._dynamo.reset()
    variants = variants_of(device, job, compiled=device.type == "cuda" and not quick)
    inputs = draw(case, device)
    if device.type == "cuda":
        copies = copies_of(inputs, copies_beyond_cache(2 * case.bytes, device))
        timings = device_times(variants, copies)
    else:
        timings = wall_times(variants, inputs, device=device, quick=quick)
    best = min((f"torch, {layout}" for layout in LAYOUTS), key=lambda name: timings[name].median_ms)
    return {best: timings[best], **timings}


def layer_rows(case: Case, device: torch.device, *, quick: bool) -> Iterator[Row]:
    for job in JOBS:
        timings = timings_of(case, job, device, quick=quick)
        dtype = str(case.dtype).removeprefix("torch.")
        yield from StepRow.group(str(case.layer), f"{job}, {dtype}", case.batch, timings)


def run(session: Session, cases: Sequence[Case] | None = None) -> None:
    torch.manual_seed(0)
    for name in ("8to8", "4to1"):
        if session.time_left(f"discriminator {name}"):
            session.record(discriminator_rows(name, session.device, quick=session.quick))
    for case in cases_of(session.device)[:2] if session.quick else cases_of(session.device):
        if session.time_left(f"{case.layer}, {case.batch}, {case.dtype}"):
            session.record(layer_rows(case, session.device, quick=session.quick))


if __name__ == "__main__":
    run(open_session("valid_conv", __doc__))

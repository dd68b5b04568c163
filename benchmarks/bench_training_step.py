"""The fast training step of every system: `python -m benchmarks.bench_training_step [--only SYSTEM]`.

Whole steps on data that is there already: in plain PyTorch (float32, unfused losses, `torch.optim.Adam`),
that compiled by torch.compile, ours by default, and ours with the switches that `ebgan train --fast` takes on
this device. On a CPU it is the processor's time on one thread. Then where the time of the fast step goes, and
how near the rate of its products is to that of one large product. The rows of one system alone go into a
file of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.utils.flop_counter import FlopCounterMode

import ebgan_kernels as ek
from benchmarks import bench_ladder_steps, bench_video
from benchmarks.bench_gan import FixedBatch, PlainDiscriminatorLoss, PlainGeneratorLoss
from benchmarks.command import Session, arguments, session_of
from benchmarks.parts import where_time_goes
from benchmarks.rows import PartRow, Row, StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.gan import EBGAN, discriminator, generator, image_shape, preset
from ebgan.ladder.builders import HIDDEN
from ebgan.ladder.config import Model
from ebgan.training import System, Workload, adam, fastest
from ebgan.video import LOSSES, VideoPrediction
from ebgan.video import discriminator as video_discriminator
from ebgan.video import generator as video_generator
from ebgan.video.losses import Loss

SYSTEM = "fast training step"
SEED = 0
PEAK_SIDE = 1024
Way = Literal["plain", "plain, compiled", "ours", "ours, --fast"]


@dataclass(frozen=True)
class Case:
    """One job: its name, how many items a batch has, and the system that does it in a way."""

    job: str
    batch: int
    workload: Workload
    build: Callable[[Way, Mapping[str, Any]], System]


def optimizer(way: Way, net: nn.Module, rate: float) -> Optimizer:
    return Adam(net.parameters(), lr=rate) if way.startswith("plain") else adam(net, rate)


def gan(
    net: str, widths: tuple[int, ...] | None, images: Tensor, way: Way, switches: Mapping[str, Any]
) -> System:
    """A GAN; where it is plain, its weights lie as PyTorch makes them and its losses are not fused."""
    torch.manual_seed(SEED)
    sizes = [{} if widths is None else {"width": width} for width in widths or (0, 0)]
    nets: tuple[Any, Any] = generator(net, **sizes[0]), discriminator(net, **sizes[1])
    plain, compiled = way.startswith("plain"), way == "plain, compiled"
    for each in nets:
        each.to(images.device)
        if plain:
            each.to(memory_format=torch.contiguous_format)
    small = net in ("digits", "mnist")
    margin = preset(net).margin if small else preset("images", net=net).margin
    assert isinstance(margin, float)
    optimizers = [optimizer(way, each, 1e-3) for each in nets]
    made = EBGAN(
        *nets,
        FixedBatch(images),
        margin=margin,
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
        compiled=compiled,
        **switches,
    )
    if plain:
        losses = PlainDiscriminatorLoss(margin).to(images.device), PlainGeneratorLoss()
        whole = [torch.compile(loss, dynamic=False) if compiled else loss for loss in losses]
        made.discriminator_loss, made.generator_loss = whole  # type: ignore[assignment]
    return made


def video(
    net: str, loss: Loss, width: float, clips: list[Tensor], way: Way, switches: Mapping[str, Any]
) -> System:
    torch.manual_seed(SEED)
    device, plain = clips[0].device, way.startswith("plain")
    nets: list[Any] = [video_generator(net, width=width)]
    if LOSSES[loss].adversarial_weight:
        nets.append(video_discriminator(net, width=width, plain=plain))
    switches = dict(switches)
    channels_last = switches.pop("channels_last", False)
    for each in nets:
        each.to(device)
        if channels_last:
            each.to(memory_format=torch.channels_last)
    optimizers = [optimizer(way, each, 4e-4) for each in nets]
    return VideoPrediction(
        nets[0],
        bench_video.FixedClips(clips),
        LOSSES[loss],
        discriminator=nets[1] if len(nets) > 1 else None,
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1] if len(nets) > 1 else None,
        compiled=way == "plain, compiled",
        **switches,
    )


def ladder(
    model: Model,
    hidden: tuple[int, ...],
    batches: bench_ladder_steps.FixedBatch,
    way: Way,
    switches: Mapping[str, Any],
) -> System:
    compiled = way == "plain, compiled"
    made = bench_ladder_steps.system(model, batches, hidden=hidden, compiled=compiled)
    for name, value in switches.items():
        setattr(made, name, value)
    for name, net in made.modules.items():
        made.optimizers[name] = optimizer(way, net, 0.002)
    return made


def cases(device: torch.device, *, quick: bool) -> list[Case]:
    """The presets of every system, with narrower nets for 64x64 images and for 4to1."""

    def images(net: str, batch: int) -> Tensor:
        torch.manual_seed(SEED)
        return torch.rand(batch, *image_shape(net), device=device) * 2 - 1

    def gan_case(net: str, workload: Workload, batch: int, *widths: int) -> Case:
        given = f", widths {widths[0]} and {widths[1]}" if widths else ""
        build = partial(gan, net, widths or None, images(net, batch))
        return Case(f"GAN, {net} net{given}, batch {batch}", batch, workload, build)

    def video_case(net: str, workload: Workload, loss: Loss, batch: int, width: float) -> Case:
        given = f", width {width}" if width != 1 else ""
        build = partial(video, net, loss, width, bench_video.random_clips(net, batch, device))
        return Case(f"video, {net}, {loss}{given}, batch {batch}", batch, workload, build)

    def ladder_case(
        model: Model, workload: Workload, seeds: int, hidden: tuple[int, ...], pixels: int
    ) -> Case:
        batches = bench_ladder_steps.random_batch(seeds, device, pixels)
        many = f"{seeds} network{'s' * (seeds > 1)} of {pixels} inputs"
        return Case(f"ladder, {model}, {many}", seeds, workload, partial(ladder, model, hidden, batches))

    small = (128, 64, 32)
    if quick:
        return [
            gan_case("digits", "gan digits", 16),
            video_case("8to8", "video 8to8", "adv+gdl", 2, 0.1),
            ladder_case("ebgan", "ladder digits", 1, small, 64),
        ]
    return [
        gan_case("mnist", "gan mnist", 128),
        gan_case("celeba-64", "gan celeba-64", 64, 256, 32),
        gan_case("imagenet-128", "gan celeba-64", 16, 256, 32),
        gan_case("imagenet-128", "gan celeba-64", 16),
        video_case("8to8", "video 8to8", "gdl", 8, 1.0),
        ladder_case("bottom", "ladder mnist", 2, HIDDEN, 784),
        video_case("8to8", "video 8to8", "adv+gdl", 8, 1.0),
        ladder_case("ebgan", "ladder mnist", 1, HIDDEN, 784),
        video_case("4to1", "video 4to1", "gdl", 4, 0.5),
        video_case("4to1", "video 4to1", "adv+gdl", 4, 0.5),
        gan_case("digits", "gan digits", 128),
        ladder_case("bottom", "ladder digits", 1, small, 64),
    ]


def measure(case: Case, device: torch.device, *, quick: bool) -> list[Row]:
    torch._dynamo.reset()
    choice = fastest(case.workload, device)
    ways: tuple[Way, ...] = get_args(Way)
    steps: dict[Way, Callable[[], object]] = {
        way: partial(case.build(way, choice.fields if way == "ours, --fast" else {}).step, 1) for way in ways
    }
    plain = partial(ek.backend, "reference")
    variants = {
        str(way): Variant(_ignoring_inputs(step), plain if way.startswith("plain") else nullcontext)
        for way, step in steps.items()
    }
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    timings = wall_times(variants, None, device=device, quick=quick, clock=clock)
    chosen = ", ".join(f"{name} {value}" for name, value in choice.fields.items()) or "no switch"
    fast_ms = timings["ours, --fast"].median_ms
    timings[f"ours, --fast: {chosen}"] = timings.pop("ours, --fast")
    job = f"{case.job}, --fast"
    parts = where_time_goes(steps["ours, --fast"], SYSTEM, job, device)
    dtype = torch.bfloat16 if choice.fields.get("precision") == "bfloat16" else torch.float32
    return [
        *StepRow.group(SYSTEM, case.job, case.batch, timings, unit="items"),
        *shared_out(parts, fast_ms),
        *against_peak(steps["ours, --fast"], fast_ms, parts, job, dtype, device),
    ]


def shared_out(parts: Sequence[PartRow], step_ms: float) -> list[PartRow]:
    """The parts of a step that takes `step_ms` of the processor; the clock of the profiler is the wall's."""
    profiled = sum(part.median_ms for part in parts)
    return [
        replace(part, median_ms=part.share * step_ms, iqr_ms=part.iqr_ms / profiled * step_ms)
        for part in parts
    ]


def against_peak(
    step: Callable[[], object],
    step_ms: float,
    parts: Sequence[PartRow],
    job: str,
    dtype: torch.dtype,
    device: torch.device,
) -> list[StepRow]:
    """The rate of a step's products and convolutions, beside that of the library's own square product.

    A step that is one CUDA graph does not tell its operators apart, and has no such rows.
    """
    spent = step_ms * sum(part.share for part in parts if part.part in ("matrix products", "convolutions"))
    if not spent:
        return []
    with FlopCounterMode(display=False) as counted:
        step()
    square = torch.ones(PEAK_SIDE, PEAK_SIDE, dtype=dtype, device=device)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    product = {"product": Variant(lambda _: square @ square)}
    peak_ms = wall_times(product, None, device=device, clock=clock)["product"].median_ms
    work = {
        f"a product of {PEAK_SIDE}x{PEAK_SIDE} matrices": (2 * PEAK_SIDE**3, peak_ms),
        "products and convolutions of the step": (counted.get_total_flops(), spent),
    }
    peak = 2 * PEAK_SIDE**3 / peak_ms
    return [
        StepRow(
            SYSTEM,
            f"{job}: rate of its products",
            round(operations / 1e6),
            name,
            median_ms=milliseconds,
            iqr_ms=0.0,
            speedup=operations / milliseconds / peak,
            per_second=operations / milliseconds / 1e6,
            unit="GFLOP",
            loss_ms=None,
            loss_share=None,
        )
        for name, (operations, milliseconds) in work.items()
    ]


def _ignoring_inputs(step: Callable[[], object]) -> Callable[[object], object]:
    return lambda _: step()


def run(session: Session, only: str | None) -> None:
    for case in cases(session.device, quick=session.quick):
        if case.workload.startswith(only or "") and session.time_left(case.job):
            session.record(measure(case, session.device, quick=session.quick))


if __name__ == "__main__":
    torch.set_num_threads(1)
    parser = arguments(__doc__)
    systems = sorted({workload.split()[0] for workload in get_args(Workload)})
    parser.add_argument("--only", choices=systems, help="measure the steps of one system")
    options = parser.parse_args()
    name = "_".join(("training_step", *filter(None, [options.only])))
    run(session_of(name, options), options.only)

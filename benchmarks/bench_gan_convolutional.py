"""Convolutional GANs: `python -m benchmarks.bench_gan_convolutional` (options: `--help`).

Whole training steps of EBGAN-PT with the networks of the best-known public port (32x32, batch 64): as that
port trains them, and as ours does, in both memory layouts; then where the time of ours goes, by kind of
operation. And the step of the paper's nets for 64x64 images.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from benchmarks import port_nets
from benchmarks.bench_gan import FixedBatch
from benchmarks.command import Session, open_session
from benchmarks.parts import where_time_goes
from benchmarks.port_nets import BETAS, LEARNING_RATE, PULLING_AWAY_WEIGHT, PortStep
from benchmarks.rows import Row, StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.gan import EBGAN, discriminator, generator, image_shape, preset
from ebgan.training import Precision, adam

SYSTEM = "convolutional EBGAN"
SEED = 0


def port_batch(device: torch.device, batch: int) -> Tensor:
    torch.manual_seed(SEED)
    return torch.rand(batch, 1, port_nets.SIDE, port_nets.SIDE, device=device) * 2 - 1


def our_step(images: Tensor, memory_format: torch.memory_format) -> Callable[[], object]:
    """A step of EBGAN-PT on the port's networks, its margin of 1 turned from a mean square into a norm."""
    nets = port_nets.networks(images.device, memory_format)
    optimizers = [adam(net, LEARNING_RATE, beta1=BETAS[0]) for net in nets]
    system = EBGAN(
        *nets,
        FixedBatch(images),
        margin=images[0].numel() ** 0.5,
        pulling_away_weight=PULLING_AWAY_WEIGHT,
        generator_optimizer=optimizers[0],
        discriminator_optimizer=optimizers[1],
    )
    return lambda: system.step(1)


def measure_port(device: torch.device, *, quick: bool) -> list[Row]:
    """Rows of the 32x32 step, and of what the faster of ours spends its time on."""
    batch = 4 if quick else port_nets.BATCH
    images = port_batch(device, batch)
    port = PortStep(*port_nets.networks(device, torch.contiguous_format))
    ours = {
        "ours": our_step(images, torch.contiguous_format),
        "ours, channels-last": our_step(images, torch.channels_last),
    }
    variants = {"as the port trains": Variant(lambda _: port(images))}
    variants |= {name: Variant(_ignoring_inputs(step)) for name, step in ours.items()}
    timings = wall_times(variants, None, device=device, quick=quick)
    job = f"training step, 32x32 nets of the port, batch {batch}"
    fastest = min(ours, key=lambda name: timings[name].median_ms)
    return [
        *StepRow.group(SYSTEM, job, batch, timings),
        *where_time_goes(ours[fastest], SYSTEM, f"{job}, {fastest}", device),
    ]


def measure_paper(device: torch.device, *, quick: bool) -> list[StepRow]:
    """Rows of the step of the 64x64 nets, at full width and half."""
    settings = preset("images")
    batch = 4 if quick else settings.batch_size
    images = torch.rand(batch, *image_shape(settings.net), device=device) * 2 - 1
    rows = []
    for scale in (8,) if quick else (1, 2):
        widths = 1024 // scale, 64 // scale
        variants = {
            precision: Variant(_ignoring_inputs(_paper_step(images, widths, precision)))
            for precision in ("float32", "bfloat16")
        }
        timings = wall_times(variants, None, device=device, quick=quick)
        job = f"training step, 64x64 nets of the paper, widths {widths[0]} and {widths[1]}, batch {batch}"
        rows += StepRow.group(SYSTEM, job, batch, timings)
    return rows


def _paper_step(images: Tensor, widths: tuple[int, int], precision: Precision) -> Callable[[], object]:
    settings = preset("images")
    assert settings.margin is not None
    torch.manual_seed(SEED)
    nets = generator(settings.net, width=widths[0]), discriminator(settings.net, width=widths[1])
    system = EBGAN(
        *(net.to(images.device) for net in nets),
        FixedBatch(images),
        margin=settings.margin,
        precision=precision,
    )
    return lambda: system.step(1)


def _ignoring_inputs(step: Callable[[], object]) -> Callable[[object], object]:
    return lambda _: step()


def run(session: Session) -> None:
    if session.time_left("the port's nets"):
        session.record(measure_port(session.device, quick=session.quick))
    if session.time_left("the paper's nets"):
        session.record(measure_paper(session.device, quick=session.quick))


if __name__ == "__main__":
    run(open_session("gan_convolutional", __doc__))

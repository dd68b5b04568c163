"""The fully connected EBGAN: `python -m benchmarks.bench_gan [--quick] [--device cpu|cuda] [--output DIR]`.

Whole training steps (both networks, both optimisers) that differ in their losses alone: plain PyTorch,
torch.compile of it, and each implementation of ours; beside the step's time the time of its two losses,
forward and backward, on leaf tensors, and its share of the step. Then sampling, and the preparation of
batches from a set as large as MNIST (random pixels; no data needed).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import ebgan_kernels
from benchmarks.command import Session, open_session
from benchmarks.operators import available_implementations
from benchmarks.rows import StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.data import Batches, ImageSet
from ebgan.gan import EBGAN, discriminator, generator, image_shape, preset, sample
from ebgan_kernels import DiscriminatorLoss
from ebgan_kernels.reference import energy as reference

SYSTEM = "fully connected EBGAN"
SAMPLES = 1000
BATCH = 128
SEED = 0


class PlainDiscriminatorLoss(nn.Module):
    """`EBGANDiscriminatorLoss` in plain PyTorch, without our checks."""

    margin: Tensor

    def __init__(self, margin: float) -> None:
        super().__init__()
        self.register_buffer("margin", torch.tensor(margin))

    def forward(
        self, real_reconstruction: Tensor, real: Tensor, fake_reconstruction: Tensor, fake: Tensor
    ) -> DiscriminatorLoss:
        images = (real_reconstruction, real, fake_reconstruction, fake)
        return DiscriminatorLoss(*reference.discriminator_loss(*images, self.margin, "l2", "identity"))


class PlainGeneratorLoss(nn.Module):
    """`EBGANGeneratorLoss` in plain PyTorch, without our checks."""

    def forward(self, fake_reconstruction: Tensor, fake: Tensor) -> Tensor:
        return reference.generator_loss(fake_reconstruction, fake, "l2", "identity")


class Losses(NamedTuple):
    """The two losses of one variant, and the choice of implementation around them."""

    discriminator: Callable[..., DiscriminatorLoss]
    generator: Callable[..., Tensor]
    scope: Callable[[], AbstractContextManager[None]] = nullcontext


@dataclass(frozen=True)
class FixedBatch:
    """Real images that are there already: the step alone is timed."""

    images: Tensor

    def at(self, step: int) -> Tensor:
        return self.images


def measure_steps(net: str, device: torch.device, *, quick: bool) -> list[StepRow]:
    """Rows of the training step of a preset, its batch size and margin included."""
    torch._dynamo.reset()
    settings = preset(net)
    images = torch.rand(settings.batch_size, *image_shape(net), device=device) * 2 - 1
    losses = _losses(settings.margin, device)
    steps = {name: _step_variant(net, variant, images, settings.margin) for name, variant in losses.items()}
    alone = {name: _loss_variant(variant, images) for name, variant in losses.items()}
    step_times = wall_times(steps, None, device=device, quick=quick)
    loss_times = wall_times(alone, None, device=device, quick=quick)
    job = f"training step, {net} net, batch {settings.batch_size}"
    return StepRow.group(SYSTEM, job, settings.batch_size, step_times, losses=loss_times)


def measure_sampling(net: str, device: torch.device, *, quick: bool) -> list[StepRow]:
    """The row of drawing images from an untrained generator; training would not change its speed."""
    network = generator(net).to(device)
    variants = {"eager": Variant(lambda _: sample(network, SAMPLES, seed=SEED))}
    timings = wall_times(variants, None, device=device, quick=quick)
    return StepRow.group(SYSTEM, f"sampling, {net} net, {SAMPLES:,} at once", SAMPLES, timings)


def measure_loading(*, quick: bool) -> list[StepRow]:
    """Rows of preparing batches: 28 x 28 uint8 images, shuffled, padded to 32 x 32, scaled to [-1, 1]."""
    random = np.random.default_rng(SEED)
    images = random.integers(0, 256, (60_000, 1, 28, 28), np.uint8)
    labels = np.zeros(len(images), np.int64)
    batches = Batches(
        ImageSet(images, labels, name="random", split="train", classes=("noise",)), BATCH, size=32, seed=SEED
    )
    steps = iter(range(10**9))

    def numpy_batch(_: object) -> Tensor:
        return _prepared_by_numpy(images[batches.indices(next(steps))])

    variants = {"numpy": Variant(numpy_batch), "host module": Variant(lambda _: batches.at(next(steps)))}
    timings = wall_times(variants, None, device=torch.device("cpu"), quick=quick)
    return StepRow.group(SYSTEM, f"loading 28x28 to 32x32, batch {BATCH}", BATCH, timings)


def _prepared_by_numpy(images: NDArray[np.uint8]) -> Tensor:
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    return torch.from_numpy(padded.astype(np.float32) / np.float32(127.5) - np.float32(1))


def _losses(margin: float, device: torch.device) -> dict[str, Losses]:
    plain = PlainDiscriminatorLoss(margin).to(device), PlainGeneratorLoss()
    compiled = tuple(torch.compile(module, dynamic=False, fullgraph=True) for module in plain)
    fused = ebgan_kernels.EBGANDiscriminatorLoss(margin).to(device), ebgan_kernels.EBGANGeneratorLoss()
    losses = {"eager": Losses(*plain), "torch.compile": Losses(*compiled)}
    for name in available_implementations(device):
        losses[name] = Losses(*fused, scope=partial(ebgan_kernels.backend, name))
    return losses


def _step_variant(net: str, losses: Losses, images: Tensor, margin: float) -> Variant:
    torch.manual_seed(SEED)
    networks = generator(net).to(images.device), discriminator(net).to(images.device)
    system = EBGAN(*networks, FixedBatch(images), margin=margin)
    system.discriminator_loss = losses.discriminator  # type: ignore[assignment]
    system.generator_loss = losses.generator  # type: ignore[assignment]
    return Variant(lambda _: system.step(1), losses.scope)


def _loss_variant(losses: Losses, images: Tensor) -> Variant:
    reconstructions = [(0.9 * images).requires_grad_() for _ in range(3)]
    fake = images.clone().requires_grad_()

    def run(_: object) -> None:
        for tensor in (*reconstructions, fake):
            tensor.grad = None
        losses.discriminator(reconstructions[0], images, reconstructions[1], fake.detach()).loss.backward()
        losses.generator(reconstructions[2], fake).backward()

    return Variant(run, losses.scope)


def run(session: Session) -> None:
    for net in ("digits",) if session.quick else ("mnist", "digits"):
        if session.time_left(f"{net} net"):
            session.record(measure_steps(net, session.device, quick=session.quick))
            session.record(measure_sampling(net, session.device, quick=session.quick))
    session.record(measure_loading(quick=session.quick))


if __name__ == "__main__":
    run(open_session("gan", __doc__))

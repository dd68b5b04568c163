"""Disentangling: `python -m benchmarks.bench_disentangle [--quick] [--device cpu|cuda] [--output DIR]`.

Whole training steps (48 images to encode and 112 to decode at batch 16, then the discriminator's) of the
networks of the presets, by triplets of random pixels: in plain PyTorch as its users write it, and ours.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.command import Session, open_session
from benchmarks.rows import StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.disentangle import Disentangling, Triplets, decoder, discriminator, encoder
from ebgan.disentangle.disentangling import IDENTITIES, STYLES, Weights
from ebgan.disentangle.interface import ImageShape
from ebgan.disentangle.losses import FAKE, REAL

SYSTEM = "disentangling"
SEED, RATE, VALUES = 0, 1e-3, 10
CASES: dict[str, tuple[str, ImageShape, int, int]] = {  # net, image, length of z and of s, batch
    "small nets, 8x8": ("small", (1, 8, 8), 16, 32),
    "big nets, 32x32": ("big", (3, 32, 32), 64, 16),
}


class FixedTriplets:
    """Triplets that are there already: the step alone is timed."""

    def __init__(self, image: ImageShape, batch: int, device: torch.device) -> None:
        images = torch.rand(3, batch, *image, device=device) * 2 - 1
        ids = torch.randint(VALUES, (3, batch, 1), device=device)
        ids[1] = ids[0]
        self.triplets = Triplets(images, ids)

    def at(self, step: int) -> Triplets:
        return self.triplets


def networks(net: str, image: ImageShape, size: int, device: torch.device) -> tuple[nn.Module, ...]:
    """Encoder, decoder and discriminator, with the same weights every time."""
    torch.manual_seed(SEED)
    sizes = {"style_size": size, "identity_size": size}
    return tuple(
        each.to(device)
        for each in (
            encoder(net, image, **sizes),
            decoder(net, image, **sizes),
            discriminator(net, image, identities=(VALUES,)),
        )
    )


class PlainStep:
    """The training step in plain PyTorch: the losses of torch.nn.functional, torch.optim.Adam as it is."""

    def __init__(self, nets: tuple[nn.Module, ...], batches: FixedTriplets) -> None:
        self.encoder, self.decoder, self.discriminator = nets
        self.batches, self.weights = batches, Weights()
        parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.generator_optimizer = torch.optim.Adam(parameters, lr=RATE)
        self.discriminator_optimizer = torch.optim.Adam(self.discriminator.parameters(), lr=RATE)

    def __call__(self) -> dict[str, Tensor]:
        images, ids = self.batches.at(0)
        weights = self.weights
        codes = (each.unflatten(0, images.shape[:2]) for each in self.encoder(images.flatten(0, 1)))
        mean, log_std, s = codes
        z_of, s_of = list(STYLES), list(IDENTITIES)
        z = mean[z_of] + log_std[z_of].exp() * torch.randn_like(mean[z_of])
        drawn = self.decoder(z.flatten(0, 1), s[s_of].flatten(0, 1)).unflatten(0, (7, -1))
        reconstruction, swap = F.mse_loss(drawn[:3], images), F.mse_loss(drawn[3:5], images[:2])
        kl = 0.5 * ((2 * log_std).exp() + mean.square() - 2 * log_std - 1).sum(2).mean()
        fakes, fake_ids = drawn[5:].flatten(0, 1), ids[1:].flatten(0, 1)
        opinion = _cross_entropy(self.discriminator(fakes, fake_ids), REAL)
        loss = (
            weights.reconstruction * reconstruction
            + weights.swap * swap
            + weights.kl * 6 / images[0, 0].numel() * kl
            + weights.adversarial * opinion
        )
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        self.discriminator_optimizer.zero_grad()
        real = self.discriminator(images[1:].flatten(0, 1), ids[1:].flatten(0, 1))
        fake = self.discriminator(fakes.detach(), fake_ids)
        of_discriminator = _cross_entropy(real, REAL) + _cross_entropy(fake, FAKE)
        of_discriminator.backward()
        self.discriminator_optimizer.step()
        terms = {"reconstruction": reconstruction, "swap": swap, "kl": kl, "adversarial": opinion}
        return {**terms, "discriminator_loss": of_discriminator}


def our_step(nets: tuple[nn.Module, ...], batches: FixedTriplets) -> Callable[[], dict[str, Tensor]]:
    made = Disentangling(nets[0], nets[1], batches, discriminator=nets[2])  # type: ignore[arg-type]
    return lambda: made.step(1)


def measure(case: str, device: torch.device, *, quick: bool) -> list[StepRow]:
    """Rows of the step of a case."""
    net, image, size, batch = CASES[case]
    torch.manual_seed(SEED)
    batches = FixedTriplets(image, 2 if quick else batch, device)
    ways = {"eager": PlainStep, "ours": our_step}
    steps = {name: way(networks(net, image, size, device), batches) for name, way in ways.items()}
    variants = {name: Variant(_ignoring_inputs(step)) for name, step in steps.items()}
    timings = wall_times(variants, None, device=device, quick=quick)
    size_of_batch = batches.triplets.images.shape[1]
    return StepRow.group(SYSTEM, f"training step, {case}", size_of_batch, timings, unit="triplets")


def _cross_entropy(logits: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def _ignoring_inputs(step: Callable[[], object]) -> Callable[[object], object]:
    return lambda _: step()


def run(session: Session) -> None:
    for case in list(CASES)[:1] if session.quick else CASES:
        if session.time_left(case):
            session.record(measure(case, session.device, quick=session.quick))


if __name__ == "__main__":
    run(open_session("disentangle", __doc__))

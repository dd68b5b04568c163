"""The energy-based GAN as a trainable system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

import ebgan_kernels as ek
from ebgan.gan.config import Distance, Shaping
from ebgan.gan.interface import Generator
from ebgan.pictures import Curve, Plot, image_grid
from ebgan.training import Precision, autocast

SAMPLE_SEED, SAMPLE_COUNT, SAMPLE_COLUMNS = 1, 64, 8


class ImageBatches(Protocol):
    """Real images: `at(step)` gives a float tensor (N, C, H, W) in [-1, 1] that depends on `step` alone."""

    def at(self, step: int) -> Tensor: ...


class EBGAN:
    """Generator and auto-encoder discriminator of Zhao, Mathieu, LeCun (arXiv:1609.03126).

    One step updates the discriminator with `L_D = E(x) + [margin - E(G(z))]^+`, then the generator with
    `L_G = E(G(z))` under the updated discriminator, with the same z. `L_G`'s gradient reaches the
    generator through both arguments of the energy, the reconstruction and the image.

    Args:
        generator: `generator(*generator.noise(count))` gives images (count, C, H, W).
        discriminator: `discriminator(images)` gives `(reconstruction, codes)`.
        batches: the real images.
        margin, distance, shaping: see `ebgan_kernels.discriminator_loss`.
        generator_optimizer, discriminator_optimizer: by default Adam with learning rate 0.001, as in the
            paper.

    Example:
        >>> from ebgan.data import Batches, load
        >>> from ebgan.gan import EBGAN, discriminator, generator
        >>> digits = Batches(load("digits"), 64)
        >>> system = EBGAN(generator("digits"), discriminator("digits"), digits, margin=3.0)
        >>> system.step(1)["real_energy"].shape
        torch.Size([64])
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: nn.Module,
        batches: ImageBatches,
        *,
        margin: float,
        distance: Distance = "l2",
        shaping: Shaping = "identity",
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        precision: Precision = "float32",
    ) -> None:
        self.generator, self.discriminator, self.batches = generator, discriminator, batches
        self.device = next(generator.parameters()).device
        self.precision: Precision = precision
        self.discriminator_loss = ek.EBGANDiscriminatorLoss(
            margin=margin, distance=distance, shaping=shaping
        ).to(self.device)
        self.generator_loss = ek.EBGANGeneratorLoss(distance=distance, shaping=shaping)
        self.generator_optimizer = generator_optimizer or Adam(generator.parameters(), lr=1e-3)
        self.discriminator_optimizer = discriminator_optimizer or Adam(discriminator.parameters(), lr=1e-3)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        return {"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer}

    @property
    def plots(self) -> tuple[Plot, ...]:
        energies = (
            Curve("real_energy", "real images"),
            Curve("fake_energy", "generated images"),
            Curve("margin", "margin"),
        )
        unit = "energy ||Dec(Enc(x)) - x||, in pixel values of [-1, 1]"
        return (Plot("energies", "Energy of real and generated images", unit, energies),)

    def step(self, step: int) -> dict[str, Tensor]:
        real = self.batches.at(step - 1).to(self.device, non_blocking=True)
        with autocast(self.device, self.precision):
            fake = self.generator(*self.generator.noise(len(real), device=self.device))
            real_reconstruction, _ = self.discriminator(real)
            fake_reconstruction, _ = self.discriminator(fake.detach())
        loss, real_energy, fake_energy = self.discriminator_loss(
            real_reconstruction, real, fake_reconstruction, fake.detach()
        )
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        self.discriminator_optimizer.step()

        with frozen(self.discriminator):
            with autocast(self.device, self.precision):
                fake_reconstruction, _ = self.discriminator(fake)
            generator_loss = self.generator_loss(fake_reconstruction, fake)
            self.generator_optimizer.zero_grad()
            generator_loss.backward()
            self.generator_optimizer.step()

        return {
            "real_energy": real_energy,
            "fake_energy": fake_energy,
            "margin": self.discriminator_loss.margin,
            "discriminator_loss": loss.detach(),
            "generator_loss": generator_loss.detach(),
        }

    def pictures(self) -> dict[str, np.ndarray]:
        images = sample(self.generator, SAMPLE_COUNT, seed=SAMPLE_SEED)
        return {"samples": image_grid(images, columns=SAMPLE_COLUMNS)}


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Within the block the parameters of `module` take no gradient, which saves a third of its pass."""
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)


def sample(generator: Generator, count: int, *, seed: int) -> Tensor:
    """`count` images (count, C, H, W) in [-1, 1]; batch normalisation uses its running statistics.

    The noise is drawn on the CPU, so that one seed gives the same images on every device.
    """
    device = next(generator.parameters()).device
    noise = generator.noise(count, generator=torch.Generator().manual_seed(seed))
    training = generator.training
    generator.eval()
    try:
        with torch.no_grad():
            images: Tensor = generator(*(z.to(device) for z in noise))
            return images
    finally:
        generator.train(training)

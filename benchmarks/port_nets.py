"""Networks for 32x32 grey images as the best-known public port of EBGAN has them, and its way to train.

The layers are those of eriklindernoren/PyTorch-GAN, implementations/ebgan/ebgan.py: noise of 62 values,
up-sampling by nearest neighbours before each convolution, a bottleneck of 32 codes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, normalize
from torch.optim import Adam

from ebgan.gan import AutoEncoded, Generator

SIDE, NOISE, CODES = 32, 62, 32
BATCH, LEARNING_RATE, BETAS = 64, 2e-4, (0.5, 0.999)
MARGIN, PULLING_AWAY_WEIGHT = 1.0, 0.1  # of a mean of squares


class PortGenerator(Generator):
    """Noise (N, 62) to images (N, 1, 32, 32) in [-1, 1]."""

    noise_shapes = ((NOISE,),)

    def __init__(self) -> None:
        super().__init__()
        coarse = (128, SIDE // 4, SIDE // 4)
        self.layers = nn.Sequential(
            nn.Linear(NOISE, coarse[0] * coarse[1] * coarse[2]),
            nn.Unflatten(1, coarse),
            *_finer(128, 128),
            *_finer(128, 64),
            nn.Conv2d(64, 1, 3, padding=1),
            nn.Tanh(),
        )

    def forward(self, z: Tensor) -> Tensor:
        images: Tensor = self.layers(z)
        return images


class PortDiscriminator(nn.Module):
    """Auto-encoder of images (N, 1, 32, 32) with codes (N, 32)."""

    def __init__(self) -> None:
        super().__init__()
        half = (64, SIDE // 2, SIDE // 2)
        values = half[0] * half[1] * half[2]
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 64, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(values, CODES)
        )
        self.decoder = nn.Sequential(
            nn.BatchNorm1d(CODES),
            nn.ReLU(),
            nn.Linear(CODES, values),
            nn.BatchNorm1d(values),
            nn.ReLU(),
            nn.Unflatten(1, half),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(64, 1, 3, padding=1),
        )

    def forward(self, images: Tensor) -> AutoEncoded:
        codes = self.encoder(images)
        return AutoEncoded(self.decoder(codes), codes)


class PortStep:
    """A training step of the port: losses of the batch's means, and its pulling-away term without a square.

    The generator goes first, and its backward pass also fills the gradients of the discriminator, which
    nobody reads.
    """

    def __init__(self, generator: PortGenerator, discriminator: PortDiscriminator) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.generator_optimizer = Adam(generator.parameters(), LEARNING_RATE, BETAS)
        self.discriminator_optimizer = Adam(discriminator.parameters(), LEARNING_RATE, BETAS)

    def __call__(self, real: Tensor) -> None:
        self.generator_optimizer.zero_grad()
        fake = self.generator(*self.generator.noise(len(real), device=real.device))
        reconstruction, codes = self.discriminator(fake)
        cosines = normalize(codes) @ normalize(codes).T
        others = (cosines.sum() - len(codes)) / (len(codes) * (len(codes) - 1))
        (mse_loss(reconstruction, fake.detach()) + PULLING_AWAY_WEIGHT * others).backward()
        self.generator_optimizer.step()

        self.discriminator_optimizer.zero_grad()
        real_energy = mse_loss(self.discriminator(real).reconstruction, real)
        fake_energy = mse_loss(self.discriminator(fake.detach()).reconstruction, fake.detach())
        loss = real_energy
        if fake_energy.item() < MARGIN:
            loss = loss + MARGIN - fake_energy
        loss.backward()
        self.discriminator_optimizer.step()


def _finer(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return (
        nn.Upsample(scale_factor=2),
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.2),
    )


def networks(
    device: torch.device, memory_format: torch.memory_format
) -> tuple[PortGenerator, PortDiscriminator]:
    """The two networks, initialised as torch does."""
    nets = PortGenerator().to(device), PortDiscriminator().to(device)
    for net in nets:
        net.to(memory_format=memory_format)
    return nets

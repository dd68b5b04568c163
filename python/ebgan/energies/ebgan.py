"""EBGAN in the plane, by the fused losses: a generator chooses where the energy is pushed up."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ebgan.energies.auto_encoder import Reconstructing
from ebgan.errors import at_least, positive
from ebgan.training.seeds import seed_step
from ebgan_kernels import discriminator_loss, generator_loss
from ebgan_kernels.ops.module import Module

SLOWER = 5.0  # the generator's rate is so much lower: it follows the energy, and does not outrun it
BEGINS = 0.7  # standard deviation of the generated points at first, which then fill the box


class Generator(Module):
    """G(z) = 0.7 z + g(z), (N, 2) normal deviates to (N, 2) points; g is 0 at first.

    It begins with points all over the box and draws them in, so that the discriminator has pushed up the
    energy everywhere that they have been.

    Args:
        width: units in each hidden layer.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        last = nn.Linear(width, 2)
        self.layers = nn.Sequential(nn.Linear(2, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), last)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, deviates: Tensor) -> Tensor:
        """The points (N, 2) of normal deviates.

        Args:
            deviates: (N, 2).
        """
        return BEGINS * deviates + self.layers(deviates)


class EBGAN(Reconstructing):
    """E(y) = ||y - G(y)||, learned with a generator of points by the losses of `ebgan_kernels`.

    The discriminator, `network`, is an auto-encoder G with the loss mean E(data) + mean [margin -
    E(generated)]^+, the generator's is mean E(generated). Before each update of the discriminator the
    generator has one of its own, at a fifth of the `rate`. The data have noise of standard deviation
    `noise`, which a generator of smooth points can come up to where it could not to a curve.
    """

    distance = "l2"

    def __init__(
        self,
        network: nn.Module | None = None,
        *,
        margin: float = 0.5,
        noise: float = 0.05,
        steps: int = 1000,
        rate: float = 3e-3,
        batch_size: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(network, steps=steps, rate=rate, batch_size=batch_size, seed=seed)
        positive("margin", margin)
        at_least("noise", noise, 0)
        self.margin, self.noise = margin, noise

    def _begin(self, data: Tensor) -> None:
        with torch.random.fork_rng(devices=[]):
            seed_step(self.seed, 1)
            self.generator = Generator()
        self._generator_optimizer = torch.optim.Adam(
            self.generator.parameters(), lr=self.rate / SLOWER, betas=(0.5, 0.999), fused=True
        )

    def generated(self, count: int) -> Tensor:
        """`count` points (count, 2) of the generator."""
        return self.generator(self._normal(count, 2))

    def loss(self, batch: Tensor) -> Tensor:
        real, fake = batch + self.noise * self._normal(*batch.shape), self.generated(len(batch))
        of_generator = generator_loss(self._reconstruction(fake), fake, distance=self.distance)
        self._generator_optimizer.zero_grad()
        of_generator.backward()
        self._generator_optimizer.step()
        fake = fake.detach()
        return discriminator_loss(
            self._reconstruction(real),
            real,
            self._reconstruction(fake),
            fake,
            margin=self.margin,
            distance=self.distance,
        ).loss

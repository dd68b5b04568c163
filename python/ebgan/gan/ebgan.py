"""The energy-based GAN as a trainable system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from ebgan.gan.config import Distance, Shaping
from ebgan.gan.interface import Generator
from ebgan.gan.two_player import ImageBatches, Metrics, TwoPlayer
from ebgan.pictures import Curve, Plot
from ebgan.training import autocast

# On the digits the spread is 0.65 at step 100 and 0.96 from 900 on, and 70 to 95 % of the images are below a
# margin that works; with a tenth of it, 0 % are at every step but a few (2026-11-28).
COLLAPSED = 0.2
IDLE = 0.01


class EBGAN(TwoPlayer):
    """Generator and auto-encoder discriminator of Zhao, Mathieu, LeCun (arXiv:1609.03126).

    The discriminator's loss is `L_D = E(x) + [margin - E(G(z))]^+`, the generator's `L_G = E(G(z))`, whose
    gradient reaches the generator through both arguments of the energy, the reconstruction and the image.
    With a `pulling_away_weight`, which the paper sets to 0.1, this is EBGAN-PT: `L_G` gains the weighted
    pulling-away term of the generated images' codes.

    Args:
        generator, batches, and the keywords not named below: see `TwoPlayer`.
        discriminator: `discriminator(images)` gives `(reconstruction, codes)`.
        margin, distance, shaping: see `ebgan_kernels.discriminator_loss`.
        pulling_away_weight: 0 leaves the term out.

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
        pulling_away_weight: float = 0.0,
        **shared: Any,
    ) -> None:
        super().__init__(generator, discriminator, batches, **shared)
        self.discriminator_loss = ek.EBGANDiscriminatorLoss(
            margin=margin, distance=distance, shaping=shaping
        ).to(self.device)
        self.generator_loss = ek.EBGANGeneratorLoss(distance=distance, shaping=shaping)
        self.pulling_away_weight = pulling_away_weight

    @property
    def plots(self) -> tuple[Plot, ...]:
        energies = (
            Curve("real_energy", "real images"),
            Curve("fake_energy", "generated images"),
            Curve("margin", "margin"),
        )
        unit = "energy ||Dec(Enc(x)) - x||, in pixel values of [-1, 1]"
        hinge = (Curve("hinge_active", "generated images below the margin"),)
        return (
            Plot("energies", "Energy of real and generated images", unit, energies),
            Plot("hinge", "Where the hinge pushes", "share of the batch", hinge, "shares"),
        )

    def advice(self, values: Mapping[str, float]) -> str:
        if values["diversity"] < COLLAPSED:
            return (
                f"the generated images spread less than {COLLAPSED:g} times as far as the real ones: the "
                "generator has collapsed; try a smaller --margin or --generator-lr, or "
                "--pulling-away-weight 0.1"
            )
        if values["hinge_active"] < IDLE and values["fake_energy"] > values["margin"]:
            return (
                f"fewer than {IDLE:.0%} of the generated images are below the margin: the discriminator "
                "learns nothing from the others; try a larger --margin, or --margin auto"
            )
        return ""

    def discriminator_objective(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Metrics]:
        with autocast(self.device, self.precision):  # one context: each weight is cast once for both batches
            real_reconstruction, _ = self.discriminate(real)
            fake_reconstruction, _ = self.discriminate(fake)
        loss, real_energy, fake_energy = self.discriminator_loss(
            real_reconstruction, real, fake_reconstruction, fake
        )
        margin = self.discriminator_loss.margin
        return loss, {
            "real_energy": real_energy,
            "fake_energy": fake_energy,
            "margin": margin,
            "hinge_active": fake_energy < margin,
            "diversity": diversity(fake, real),
        }

    def generator_objective(self, fake: Tensor) -> tuple[Tensor, Metrics]:
        reconstruction, codes = self.discriminate(fake)
        loss = self.generator_loss(reconstruction, fake)
        if not self.pulling_away_weight:
            return loss, {}
        pulling_away = ek.pulling_away(codes, group=self.world.group)
        return loss + self.pulling_away_weight * pulling_away, {"pulling_away": pulling_away.detach()}


@torch.no_grad()
def diversity(fake: Tensor, real: Tensor) -> Tensor:
    """The spread of generated images over that of real ones: the ratio of their mean distances in pairs.

    The distance is the root mean square over the pairs of a batch, which is the spread about its mean.
    """
    spreads = [images.flatten(1).float().std(0, correction=0).norm() for images in (fake, real)]
    return spreads[0] / spreads[1]

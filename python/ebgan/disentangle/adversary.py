"""What the discriminator learns and what the decoder learns from it: the release's way, and by energies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from torch import Tensor

import ebgan_kernels as ek
from ebgan.disentangle.losses import FAKE, REAL, cross_entropy
from ebgan.pictures import Curve, Plot

Metrics = dict[str, Tensor]
Answer = Callable[[Tensor, Tensor], Tensor]


class Adversary(Protocol):
    """The two losses around a discriminator, whose `answer(images, ids)` is in the run's precision."""

    @property
    def plot(self) -> Plot: ...

    def of_discriminator(
        self, answer: Answer, real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Metrics]:
        """Its loss on real images and detached fakes, each with their ids, and the metrics to log."""

    def of_decoder(self, answer: Answer, images: Tensor, ids: Tensor) -> Tensor:
        """The decoder's loss on images that it drew of identities `ids`."""


class Logits:
    """The discriminator classifies: cross-entropy with the soft label 0.95 of real images, 0 of fakes."""

    plot = Plot(
        "discriminator",
        "The discriminator's opinion",
        "probability of being real",
        (Curve("real_probability", "real images"), Curve("fake_probability", "decoded images")),
        "shares",
    )

    def of_discriminator(
        self, answer: Answer, real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Metrics]:
        real_logits, fake_logits = answer(*real).float(), answer(*fake).float()
        loss = cross_entropy(real_logits, REAL) + cross_entropy(fake_logits, FAKE)
        metrics: Mapping[str, Tensor] = {"real_probability": real_logits, "fake_probability": fake_logits}
        return loss, {name: logits.detach().sigmoid() for name, logits in metrics.items()}

    def of_decoder(self, answer: Answer, images: Tensor, ids: Tensor) -> Tensor:
        return cross_entropy(answer(images, ids), REAL)


class Energies:
    """The discriminator gives energies, as in EBGAN: `E(real) + [margin - E(fake)]^+` and `E(fake)`.

    The energy is the mean square of the reconstruction's error.
    """

    plot = Plot(
        "discriminator",
        "Energy of real and decoded images",
        "energy, a mean square in pixel values of [-1, 1]",
        (Curve("real_energy", "real images"), Curve("fake_energy", "decoded images")),
    )

    def __init__(self, margin: float) -> None:
        self.margin = margin

    def of_discriminator(
        self, answer: Answer, real: tuple[Tensor, Tensor], fake: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Metrics]:
        loss, real_energy, fake_energy = ek.discriminator_loss(
            answer(*real), real[0], answer(*fake), fake[0], margin=self.margin, distance="mse"
        )
        return loss, {"real_energy": real_energy, "fake_energy": fake_energy}

    def of_decoder(self, answer: Answer, images: Tensor, ids: Tensor) -> Tensor:
        return ek.generator_loss(answer(images, ids), images, distance="mse")

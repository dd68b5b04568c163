"""The plain GAN, the baseline that energy-based ones are compared with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ebgan.gan.two_player import Metrics, TwoPlayer
from ebgan.pictures import Curve, Plot
from ebgan.training import autocast


class GAN(TwoPlayer):
    """The GAN of Goodfellow et al. (arXiv:1406.2661); its discriminator returns logits (N,), real positive.

    With the probability p = sigmoid(logit), the discriminator's loss is `-log p(x) - log(1 - p(G(z)))` and
    the generator's, the non-saturating one, `-log p(G(z))`, both averaged over the batch.

    Example:
        >>> from ebgan.data import Batches, load
        >>> from ebgan.gan import GAN, classifier, generator
        >>> system = GAN(generator("digits"), classifier("digits"), Batches(load("digits"), 64))
        >>> system.step(1)["real_probability"].shape
        torch.Size([64])
    """

    @property
    def plots(self) -> tuple[Plot, ...]:
        curves = (
            Curve("real_probability", "real images"),
            Curve("fake_probability", "generated images"),
        )
        unit = "probability of being real"
        return (Plot("probabilities", "The discriminator's opinion", unit, curves, "shares"),)

    def discriminator_objective(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Metrics]:
        with autocast(self.device, self.precision):  # one context: each weight is cast once for both batches
            real_logits, fake_logits = self.discriminate(real).float(), self.discriminate(fake).float()
        loss = softplus(-real_logits).mean() + softplus(fake_logits).mean()
        with torch.no_grad():
            metrics = {"real_probability": real_logits.sigmoid(), "fake_probability": fake_logits.sigmoid()}
        return loss, metrics

    def generator_objective(self, fake: Tensor) -> tuple[Tensor, Metrics]:
        return softplus(-self.discriminate(fake).float()).mean(), {}

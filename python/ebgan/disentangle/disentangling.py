"""Disentangling of identity and style as a trainable system (Mathieu et al., arXiv:1611.03383)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

import ebgan_kernels as ek
from ebgan.disentangle.adversary import Adversary, Logits, Metrics
from ebgan.disentangle.classifier import IdentityClassifier
from ebgan.disentangle.grids import swap_grid
from ebgan.disentangle.interface import Codes, Decoder, Encoder
from ebgan.disentangle.losses import kl_factor, kl_to_normal
from ebgan.disentangle.triplets import Triplets
from ebgan.errors import UserError
from ebgan.pictures import Curve, Plot
from ebgan.training import Precision, adam, autocast, compiled_where, frozen, update

# The decoder's inputs by the number of the triplet's image (0, 1, 2) whose z and whose s they have: three
# reconstructions, swap 1 between the two images of one identity, swap 2 between identities.
STYLES = (0, 1, 2, 0, 1, 2, 1)
IDENTITIES = (0, 1, 2, 1, 0, 1, 2)
OWN, SWAPPED, MIXED = slice(0, 3), slice(3, 5), slice(5, 7)
SAMPLED = (1, 2)  # whose s the images with a drawn z have


class Batches(Protocol):
    """Triplets: `at(step)` depends on `step` alone."""

    def at(self, step: int) -> Triplets: ...


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The weights of the terms, those of the release by default; the KL's is that of its mean, as it is."""

    reconstruction: float = 0.5
    swap: float = 1.0
    adversarial: float = 0.01
    kl: float = 0.1
    sampling: float = 0.0
    classes: float = 0.0

    @property
    def need_discriminator(self) -> bool:
        return bool(self.adversarial or self.sampling)


@dataclass(frozen=True, eq=False)
class Shown:
    """Images that the swap grid of a training shows: `styles` (R, C, H, W) and `identities` (N, C, H, W)."""

    styles: Tensor
    identities: Tensor


class Disentangling:
    """An encoder, a decoder and a discriminator, which learn z and s of triplets (x1, x2, x3).

    x1 and x2 are of one identity. With Dec(z_i, s_j) drawn from the style of x_i and the identity of x_j, one
    step updates encoder and decoder by the weighted sum of

    - reconstruction: the mean square of Dec(z_i, s_i) - x_i;
    - swap 1: that of Dec(z_1, s_2) - x_1 and Dec(z_2, s_1) - x_2;
    - swap 2: the adversary's loss of Dec(z_3, s_2) under the id of x2, and of Dec(z_2, s_3) under that of x3;
    - KL: the mean divergence of z from N(0, I), times 6 over the numbers of an image;
    - sampling: as swap 2, with z drawn from N(0, I);
    - class: the cross-entropy of a classifier of s;

    then the discriminator once, by x2 and x3 and by the images that were decoded before the update. z is
    sampled anew for every decoding; where the KL weight is 0 it is the mean.

    Args:
        encoder, decoder: see `ebgan.disentangle.encoder` and `decoder`.
        batches: the triplets.
        discriminator: `discriminator(images, ids)`; None where swap 2 and sampling have no weight.
        classifier: of s; None where the class has no weight.
        weights: of the terms.
        adversary: the losses around the discriminator.
        generator_optimizer: of encoder, decoder and classifier; by default Adam with learning rate 0.001.
        discriminator_optimizer: the same of the discriminator.
        precision: data type of the forward passes.
        compiled: whether torch.compile compiles the networks.
        shown: images for the swap grid; None draws none.

    Raises:
        UserError: a discriminator or classifier is missing that has a weight.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        batches: Batches,
        *,
        discriminator: nn.Module | None = None,
        classifier: IdentityClassifier | None = None,
        weights: Weights | None = None,
        adversary: Adversary | None = None,
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        precision: Precision = "float32",
        compiled: bool = False,
        shown: Shown | None = None,
    ) -> None:
        self.encoder, self.decoder, self.batches = encoder, decoder, batches
        self.weights = weights or Weights()
        if self.weights.need_discriminator and discriminator is None:
            raise UserError("discriminator: is missing, but swap 2 or sampling has a weight")
        if self.weights.classes and classifier is None:
            raise UserError("classifier: is missing, but the class has a weight")
        self.discriminator = discriminator if self.weights.need_discriminator else None
        self.classifier = classifier if self.weights.classes else None
        self.adversary = adversary or Logits()
        self.device = next(encoder.parameters()).device
        self.precision, self.shown = precision, shown
        self.generator_optimizer = generator_optimizer or adam(self.generating, 1e-3)
        self.discriminator_optimizer = discriminator_optimizer
        if self.discriminator is not None:
            self.discriminator_optimizer = discriminator_optimizer or adam(self.discriminator, 1e-3)
            self._discriminate = compiled_where(compiled, self.discriminator, self.device)
        self._encode = compiled_where(compiled, encoder, self.device)
        self._decode = compiled_where(compiled, decoder, self.device)

    @property
    def generating(self) -> nn.ModuleList:
        """What the first optimiser updates."""
        nets = [self.encoder, self.decoder, *([] if self.classifier is None else [self.classifier])]
        return nn.ModuleList(nets)

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        nets = {
            "encoder": self.encoder,
            "decoder": self.decoder,
            "discriminator": self.discriminator,
            "classifier": self.classifier,
        }
        return {name: net for name, net in nets.items() if net is not None}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        found = {"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer}
        return {name: optimizer for name, optimizer in found.items() if optimizer is not None}

    @property
    def plots(self) -> tuple[Plot, ...]:
        errors = (Curve("reconstruction", "own codes"), Curve("swap", "s of another image of the identity"))
        unit = "mean square, in pixel values of [-1, 1]"
        plots = (
            Plot("errors", "Error of decoded images", unit, errors, "log"),
            Plot("divergence", "Information in z", "KL(q(z) || N(0, I)), in nats", (Curve("kl", "z"),)),
        )
        return plots if self.discriminator is None else (*plots, self.adversary.plot)

    def discriminate(self, images: Tensor, ids: Tensor) -> Tensor:
        """The discriminator's answer, in the precision of the forward passes."""
        with autocast(self.device, self.precision):
            return self._discriminate(images, ids)

    def step(self, step: int) -> Metrics:
        images, ids = (each.to(self.device, non_blocking=True) for each in self.batches.at(step - 1))
        loss, metrics, fakes, fake_ids = self.objective(images, ids)
        if self.discriminator is None or self.discriminator_optimizer is None:
            update(self.generator_optimizer, loss)
            return metrics
        with frozen(self.discriminator):
            opinion, opinions = self._opinion(fakes, fake_ids)
            update(self.generator_optimizer, loss + opinion)
        real = images[1:].flatten(0, 1), ids[1:].flatten(0, 1)
        discriminator_loss, answers = self.adversary.of_discriminator(
            self.discriminate, real, (fakes.detach(), fake_ids)
        )
        update(self.discriminator_optimizer, discriminator_loss)
        return {**metrics, **opinions, **answers, "discriminator_loss": discriminator_loss.detach()}

    def objective(self, images: Tensor, ids: Tensor) -> tuple[Tensor, Metrics, Tensor, Tensor]:
        """The terms without an adversary, their metrics, and the fakes with their ids, of swap 2 first."""
        weights, count = self.weights, images.shape[1]
        with autocast(self.device, self.precision):
            codes = Codes(*(each.unflatten(0, (3, count)) for each in self._encode(images.flatten(0, 1))))
            identities = list(IDENTITIES)
            chosen = Codes(codes.mean[list(STYLES)], codes.log_std[list(STYLES)], codes.identity[identities])
            style = chosen.style() if weights.kl else chosen.mean
            if weights.sampling:
                identities += SAMPLED
                style = torch.cat([style, torch.randn_like(style[: len(SAMPLED)])])
            decoded = self._decode(style.flatten(0, 1), codes.identity[identities].flatten(0, 1))
        known = MIXED.start * count
        targets = images[list(STYLES[: MIXED.start])].flatten(0, 1)
        errors = ek.reconstruction_energy(decoded[:known], targets, distance="mse").unflatten(0, (-1, count))
        divergence = kl_to_normal(Codes(*(each.flatten(0, 1) for each in codes)))
        terms = {
            "reconstruction": errors[OWN].mean(),
            "swap": errors[SWAPPED].mean(),
            "kl": divergence.mean(),
        }
        scale = {
            "reconstruction": weights.reconstruction,
            "swap": weights.swap,
            "kl": kl_factor(weights.kl, (images.shape[2], images.shape[3], images.shape[4])),
        }
        if self.classifier is not None:
            with autocast(self.device, self.precision):
                terms["class"] = self.classifier(codes.identity.flatten(0, 1), ids.flatten(0, 1))
            scale["class"] = weights.classes
        loss = torch.stack([scale[name] * term for name, term in terms.items()]).sum()
        metrics = {name: term.detach() for name, term in terms.items()}
        return loss, metrics, decoded[known:], ids[identities[MIXED.start :]].flatten(0, 1)

    def _opinion(self, fakes: Tensor, ids: Tensor) -> tuple[Tensor, Metrics]:
        """The weighted adversarial terms of the decoder, and their metrics."""
        size = len(ids) // (2 if self.weights.sampling else 1)
        terms = [("adversarial", self.weights.adversarial), ("sampling", self.weights.sampling)]
        loss, metrics = fakes.new_zeros((), dtype=torch.float32), {}
        for (name, weight), images, of in zip(terms, fakes.split(size), ids.split(size), strict=False):
            if weight:
                term = self.adversary.of_decoder(self.discriminate, images, of)
                loss, metrics[name] = loss + weight * term, term.detach()
        return loss, metrics

    def pictures(self) -> dict[str, np.ndarray]:
        if self.shown is None:
            return {}
        with autocast(self.device, self.precision):
            return {"swaps": swap_grid(self.encoder, self.decoder, self.shown.styles, self.shown.identities)}

"""EBGAN with a ladder network as its discriminator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim import Optimizer

import ebgan_kernels as ek
from ebgan.errors import UserError
from ebgan.ladder.batches import Batch
from ebgan.ladder.generator import LadderGenerator
from ebgan.ladder.ladder import UNLABELLED, Ladder, LadderBatches, Metrics
from ebgan.ladder.network import Encoded, LadderNetwork
from ebgan.ladder.noise import first_parts
from ebgan.ladder.pictures import to_images
from ebgan.pictures import Curve, Plot, image_grid
from ebgan.training import adam, compiled_where, frozen, update

FAKE = 2  # the part of a batch after the labelled and the unlabelled one
SAMPLES, SAMPLE_COLUMNS = 64, 8


class LadderEBGAN(Ladder):
    """EBGAN-LN (Zhao, Mathieu, LeCun, arXiv:1609.03126): a bottom ladder that learns beside a generator.

    The energy of an example is its squared denoising error ``E(x) = ||x - z_hat_0||^2`` on the corrupted
    path, generated ones being a part of the batch that is normalised by itself. Each step updates the ladder
    with::

        cross-entropy of the labelled + lambda_0 / D (mean E(x) + mean [margin - E(G(z))]^+)

    and then the generator with mean E(G(z)) under the updated ladder, with the same z and noise. From the
    step on where the margin is 0 generated examples say nothing to the ladder: the generator is frozen, and
    the ladder learns on as a plain one with only lambda_0.

    Args:
        network, batches, and the keywords not named below: see `Ladder`.
        generator: as many generators as there are networks, their first weights drawn.
        lambda_0: weight of the energy, times D.
        margin: the margin of each step, in units of E.
        generator_optimizer: the default is Adam with learning rate 0.00025.

    Example:
        >>> from ebgan.data import load
        >>> from ebgan.ladder import LadderEBGAN, SemiSupervisedBatches, examples, generator, network
        >>> digits = SemiSupervisedBatches(examples(load("digits")), labels=100, batch_size=100, seeds=(0,))
        >>> nets = network("bottom", inputs=64, hidden=(32,)), generator(outputs=64, hidden=(32,))
        >>> system = LadderEBGAN(*nets, digits, lambda_0=1000, margin=lambda step: 3.0)
        >>> system.step(1)["fake_energy"].shape
        torch.Size([1, 100])
    """

    def __init__(
        self,
        network: LadderNetwork,
        generator: LadderGenerator,
        batches: LadderBatches,
        *,
        lambda_0: float,
        margin: Callable[[int], float],
        generator_optimizer: Optimizer | None = None,
        **shared: Any,
    ) -> None:
        if generator.sizes[-1] != network.sizes[0] or generator.networks != network.networks:
            raise UserError(
                f"generator: got {generator.networks} generators of {generator.sizes[-1]} values, needed are "
                f"{network.networks} of {network.sizes[0]}, as the networks take"
            )
        super().__init__(network, batches, (lambda_0, *(0.0 for _ in network.sizes[1:])), **shared)
        self.generator, self.margin = generator, margin
        self.modules["generator"] = generator
        self.optimizers["generator"] = generator_optimizer or adam(generator, 0.00025)
        self.noise = self.make_noise(noisy=3, codes=generator.sizes[0])
        self.margin_now = self.noise.codes.new_tensor(margin(1))  # filled anew by every step
        self._generate = compiled_where(self.compiled, generator, self.device)
        self._discriminator_objective = compiled_where(
            self.compiled, self.discriminator_objective, self.device
        )
        self._generator_objective = compiled_where(self.compiled, self.generator_objective, self.device)
        self.play = self.graphed(self._play, "network", "generator")

    @property
    def plots(self) -> tuple[Plot, ...]:
        curves = (
            Curve("real_energy", "real"),
            Curve("hinge", "hinge of generated"),
            Curve("margin", "margin"),
        )
        unit = "squared denoising error, in pixel values of [0, 1]"
        return (*super().plots, Plot("energies", "Energy of examples", unit, curves))

    def step(self, step: int) -> Metrics:
        margin = self.margin(step)
        self.set_rates(step)
        self.margin_now.fill_(margin)
        self.noise.draw(step, noisy=FAKE + 1 if margin else FAKE)
        return (self.play if margin else self.learn)(*self.batches.at(step - 1))

    def _play(self, *batch: Tensor) -> Metrics:
        """Update the ladders, and then the generators against them."""
        noise = self.noise.layers
        fake = self._generate(self.noise.codes)
        loss, metrics = self._discriminator_objective(Batch(*batch), fake.detach(), noise)
        update(self.optimizers["network"], loss)
        with frozen(self.network):
            loss = self._generator_objective(fake, first_parts(noise, FAKE, FAKE + 1))
            update(self.optimizers["generator"], loss)
        return {**metrics, "generator_loss": loss.detach() / len(self.seeds)}

    def _learn(self, *batch: Tensor) -> Metrics:
        """Update the ladders alone."""
        loss, metrics = self._objective(Batch(*batch), first_parts(self.noise.layers, 0, FAKE))
        update(self.optimizers["network"], loss)
        nothing = torch.zeros_like(metrics["denoising_cost"])
        real_energy = metrics["denoising_cost"] / self.weight
        return {**metrics, "real_energy": real_energy, "hinge": nothing, "margin": nothing}

    @property
    def weight(self) -> float:
        """The weight of the energy in the ladder's loss."""
        return self.lambdas[0] / self.network.sizes[0]

    def discriminator_objective(
        self, batch: Batch, fake: Tensor, noise: Sequence[Tensor]
    ) -> tuple[Tensor, Metrics]:
        """The sum over networks of the ladders' losses, `fake` being detached, and the metrics to log."""
        x = torch.stack((batch.labelled, batch.unlabelled, fake), 1)
        encoded = self.encode(x, noise)
        class_cost, metrics = self.class_cost(batch, encoded.logits)
        real_energy, fake_energy = self.energy(x, encoded, UNLABELLED).unbind(1)
        hinge = (self.margin_now - fake_energy).relu()
        denoising = self.weight * real_energy.mean(-1)
        metrics |= {
            "denoising_cost": denoising.detach(),
            "real_energy": real_energy.detach(),
            "fake_energy": fake_energy.detach(),
            "hinge": hinge.detach(),
            "margin": self.margin_now,
        }
        return (class_cost + denoising + self.weight * hinge.mean(-1)).sum(), metrics

    def generator_objective(self, fake: Tensor, noise: Sequence[Tensor]) -> Tensor:
        """The sum over networks of the generators' losses."""
        x = fake.unsqueeze(1)
        return self.energy(x, self.encode(x, noise), 0).mean(-1).sum()

    def energy(self, x: Tensor, encoded: Encoded, first: int) -> Tensor:
        """The energies (S, P - first, N) of the parts of `x` (S, P, N, D) from number `first` on."""
        z = [each[:, first:] for each in encoded.z]
        reconstruction = self.reconstruct(z, encoded.logits[:, first:])
        target = x[:, first:]
        flat = ek.reconstruction_energy(
            reconstruction.flatten(0, 2), target.flatten(0, 2), distance="squared_l2"
        )
        return flat.view(target.shape[:-1])

    def pictures(self) -> dict[str, np.ndarray]:
        pictures = super().pictures()
        if self.image is not None:
            self.noise.draw(0)
            with torch.no_grad():
                samples = self.generator(self.noise.codes)[0, :SAMPLES]
            pictures["samples"] = image_grid(to_images(samples, self.image), columns=SAMPLE_COLUMNS)
        return pictures

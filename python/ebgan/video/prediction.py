"""Multi-scale video prediction as a trainable system."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

import ebgan_kernels as ek
from ebgan.errors import UserError
from ebgan.pictures import Curve, Plot
from ebgan.training import Precision, autocast, compiled_where, frozen, set_rate, update
from ebgan.video.generator import MultiscaleGenerator
from ebgan.video.losses import Terms, adversarial_loss
from ebgan.video.strips import strips

PICTURE_CLIPS = 4

Scales = Sequence[Tensor]
Metrics = dict[str, Tensor]


class Clips(Protocol):
    """Real clips: `at(step)` gives float tensors (B, T, 3, s, s) in [-1, 1], coarse to fine, that depend on
    `step` alone; T counts input and target frames.
    """

    def at(self, step: int) -> Scales: ...


class VideoPrediction:
    """The generator, and for an adversarial loss the discriminator, of arXiv:1511.05440.

    One step updates the discriminator once and then the generator once, each on a batch of its own. Without
    an adversarial term there is no discriminator, and the generator sees the same batches as with one.

    Args:
        generator: `generator(frames)` gives predictions at every scale; it has the attribute `input_frames`.
        batches: the clips.
        terms: the terms of the generator's loss; `LOSSES` has the paper's.
        discriminator: `discriminator(frames, targets)` gives logits (B, scales); for an adversarial term.
        generator_optimizer, discriminator_optimizer: the default is the paper's, SGD at 0.04 and at 0.02.
        schedule: the generator's learning rate of each step; None leaves it as the optimiser has it.
        precision: data type of the forward passes.
        compiled: whether torch.compile compiles both networks.

    Example:
        >>> import torch
        >>> from ebgan.video import LOSSES, VideoPrediction, generator
        >>> class Still:
        ...     def at(self, step):
        ...         return [torch.zeros(2, 16, 3, side, side) for side in (4, 8, 16, 32)]
        >>> system = VideoPrediction(generator("8to8", width=0.1), Still(), LOSSES["gdl"])
        >>> sorted(system.step(1))
        ['gdl', 'generator_loss', 'lp']
    """

    def __init__(
        self,
        generator: MultiscaleGenerator,
        batches: Clips,
        terms: Terms,
        *,
        discriminator: nn.Module | None = None,
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        schedule: Callable[[int], float] | None = None,
        precision: Precision = "float32",
        compiled: bool = False,
    ) -> None:
        if (discriminator is not None) != (terms.adversarial_weight > 0):
            came = "none" if discriminator is None else "one"
            raise UserError(
                f"discriminator: got {came} with an adversarial_weight of {terms.adversarial_weight}; "
                "a discriminator is needed where that is above 0, and only there"
            )
        self.generator, self.discriminator = generator, discriminator
        self.batches, self.terms, self.schedule = batches, terms, schedule
        self.device = next(generator.parameters()).device
        self.precision: Precision = precision
        self._generate = compiled_where(compiled, generator, self.device)
        self.modules: dict[str, nn.Module] = {"generator": generator}
        self.optimizers = {"generator": generator_optimizer or SGD(generator.parameters(), lr=0.04)}
        if discriminator is not None:
            self._judge = compiled_where(compiled, discriminator, self.device)
            self.modules["discriminator"] = discriminator
            self.optimizers["discriminator"] = discriminator_optimizer or SGD(
                discriminator.parameters(), lr=0.02
            )

    @property
    def plots(self) -> tuple[Plot, ...]:
        terms = self.terms
        curves = (
            (terms.lp_weight, Curve("lp", f"l{terms.p}")),
            (terms.gdl_weight, Curve("gdl", "gradient difference")),
            (terms.adversarial_weight, Curve("adversarial", "adversarial")),
        )
        shown = tuple(curve for weight, curve in curves if weight)
        plots = (
            Plot("terms", "The generator's loss, term by term", "sum over scales, before weighting", shown),
        )
        if self.discriminator is None:
            return plots
        accuracies = (Curve("real_accuracy", "real clips"), Curve("fake_accuracy", "predicted clips"))
        return (
            *plots,
            Plot(
                "accuracies", "What the discriminator gets right", "share of the batch", accuracies, "shares"
            ),
        )

    def step(self, step: int) -> Metrics:
        metrics: Metrics = {}
        if self.discriminator is not None:
            loss, metrics = self.discriminator_objective(*self._clips(2 * step - 2))
            update(self.optimizers["discriminator"], loss)
            metrics["discriminator_loss"] = loss.detach()
        if self.schedule is not None:
            set_rate(self.optimizers["generator"], self.schedule(step))
        loss, terms = self.generator_objective(*self._clips(2 * step - 1))
        update(self.optimizers["generator"], loss)
        return {**metrics, **terms, "generator_loss": loss.detach()}

    def discriminator_objective(self, frames: Scales, targets: Scales) -> tuple[Tensor, Metrics]:
        """The discriminator's loss on real clips and on predictions of them, and the metrics to log."""
        with torch.no_grad():
            predictions = self.predict(frames)
        with autocast(self.device, self.precision):  # one context: each weight is cast once for both batches
            real, fake = self.discriminate(frames, targets), self.discriminate(frames, predictions)
        loss = adversarial_loss(real, real=True) + adversarial_loss(fake, real=False)
        return loss, {"real_accuracy": real.detach() > 0, "fake_accuracy": fake.detach() < 0}

    def generator_objective(self, frames: Scales, targets: Scales) -> tuple[Tensor, Metrics]:
        """The generator's loss, and its terms without their weights."""
        predictions, terms = self.predict(frames), self.terms
        pixels = partial(
            ek.multiscale_prediction_loss, predictions, targets[-1].contiguous(), p=terms.p, alpha=terms.alpha
        )
        losses: list[Tensor] = []
        metrics: Metrics = {}
        if terms.lp_weight or terms.gdl_weight:
            losses.append(pixels(lp_weight=terms.lp_weight, gdl_weight=terms.gdl_weight))
        with torch.no_grad():
            if terms.lp_weight:
                metrics["lp"] = pixels(lp_weight=1.0, gdl_weight=0.0)
            if terms.gdl_weight:
                metrics["gdl"] = pixels(lp_weight=0.0, gdl_weight=1.0)
        if self.discriminator is not None:
            with frozen(self.discriminator):
                adversarial = adversarial_loss(self.discriminate(frames, predictions), real=True)
            losses.append(terms.adversarial_weight * adversarial)
            metrics["adversarial"] = adversarial.detach()
        return torch.stack(losses).sum(), metrics

    def predict(self, frames: Scales) -> list[Tensor]:
        """The generator's predictions, in the precision of the forward passes."""
        with autocast(self.device, self.precision):
            predictions: list[Tensor] = self._generate(frames)
            return predictions

    def discriminate(self, frames: Scales, targets: Scales) -> Tensor:
        """The discriminator's logits in float32, whatever the precision of its forward pass."""
        with autocast(self.device, self.precision):
            logits: Tensor = self._judge(frames, targets)
        return logits.float()

    def pictures(self) -> dict[str, np.ndarray]:
        frames, targets = ([scale[:PICTURE_CLIPS] for scale in scales] for scales in self._clips(0))
        with torch.no_grad():
            predictions = self.predict(frames)
        return {"predictions": strips(frames[-1], targets[-1], predictions[-1])}

    def _clips(self, number: int) -> tuple[list[Tensor], list[Tensor]]:
        """Input and target frames of batch `number`, at every scale."""
        scales = [scale.to(self.device, non_blocking=True) for scale in self.batches.at(number)]
        given = self.generator.input_frames
        return [scale[:, :given] for scale in scales], [scale[:, given:] for scale in scales]

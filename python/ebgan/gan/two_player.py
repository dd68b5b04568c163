"""The base of energy-based and plain GANs: two networks that are updated in turns."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ebgan.gan.interface import Generator
from ebgan.pictures import Plot, image_grid
from ebgan.training import (
    Precision,
    adam,
    autocast,
    compiled_where,
    evaluating,
    frozen,
    update_by_parts,
    world,
)

SAMPLE_SEED, SAMPLE_COUNT, SAMPLE_COLUMNS = 1, 64, 8

Metrics = dict[str, Tensor]


class ImageBatches(Protocol):
    """Real images: `at(step)` gives a float tensor (N, C, H, W) in [-1, 1] that depends on `step` alone."""

    def at(self, step: int) -> Tensor: ...


class TwoPlayer(ABC):
    """A generator and a discriminator, each with its objective.

    One step updates the discriminator once, then the generator once under the updated discriminator, with the
    same z. Where several processes train (`ebgan.training.joined`), each takes its share of the batch and of
    z, and gradients are averaged; on a CPU batch normalisation then sees a process's share alone.

    Args:
        generator: `generator(*generator.noise(count))` gives images (count, C, H, W).
        discriminator: takes such images; what it returns is up to the objectives.
        batches: the real images.
        generator_optimizer, discriminator_optimizer: the default is Adam with learning rate 0.001.
        precision: data type of the forward passes.
        compiled: whether torch.compile compiles both networks.
        averaging: the decay of a running average of the generator's weights, which samples are then drawn
            from (arXiv:1806.04498); 0 keeps none. In early steps it is less, (1 + step) / (10 + step).
        accumulate: parts of equal size that a process's share of a batch is worked through in, one after the
            other, before each update; memory holds the graph of one. The update is that of the whole, but
            that batch normalisation and the pulling-away term see a part alone. With more than one, the
            generator draws the images of its own update again.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: nn.Module,
        batches: ImageBatches,
        *,
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        precision: Precision = "float32",
        compiled: bool = False,
        averaging: float = 0.0,
        accumulate: int = 1,
    ) -> None:
        self.generator, self.discriminator, self.batches = generator, discriminator, batches
        self.accumulate = accumulate
        self.device = next(generator.parameters()).device
        self.precision: Precision = precision
        self.generator_optimizer = generator_optimizer or adam(generator, 1e-3)
        self.discriminator_optimizer = discriminator_optimizer or adam(discriminator, 1e-3)
        self.world = world()
        self.averaging = averaging
        self.averaged = copy.deepcopy(generator).requires_grad_(False) if averaging else generator
        self._generate, self._discriminate = (
            compiled_where(compiled, net, self.device) for net in (generator, discriminator)
        )

    @abstractmethod
    def discriminator_objective(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Metrics]:
        """The discriminator's loss on real images and detached generated ones, and the metrics to log."""

    @abstractmethod
    def generator_objective(self, fake: Tensor) -> tuple[Tensor, Metrics]:
        """The generator's loss on images that it made, and the metrics to log."""

    @property
    @abstractmethod
    def plots(self) -> tuple[Plot, ...]: ...

    @property
    def modules(self) -> Mapping[str, nn.Module]:
        averaged = {"averaged_generator": self.averaged} if self.averaging else {}
        return {"generator": self.generator, "discriminator": self.discriminator, **averaged}

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        return {"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer}

    def discriminate(self, images: Tensor) -> Any:
        """The discriminator's output, in the precision of the forward passes."""
        with autocast(self.device, self.precision):
            return self._discriminate(images)

    def step(self, step: int) -> Metrics:
        batch = self.batches.at(step - 1)
        real = self.world.share(batch).to(self.device, non_blocking=True)
        noise = map(self.world.share, self.generator.noise(len(batch), device=self.device))
        parts = [each.chunk(self.accumulate) for each in (real, *noise)]
        fakes: list[Tensor] = []
        metrics: list[Metrics] = []

        def discriminator_losses() -> Iterator[Tensor]:
            for real, *z in zip(*parts, strict=True):
                fake = self._images(z, graph=self.accumulate == 1)
                if self.accumulate == 1:
                    fakes.append(fake)
                loss, of_part = self.discriminator_objective(real, fake.detach())
                metrics.append({**of_part, "discriminator_loss": loss.detach()})
                yield loss

        def generator_losses() -> Iterator[Tensor]:
            for _, *z in zip(*parts, strict=True):
                loss, of_part = self.generator_objective(fakes.pop() if fakes else self._images(z))
                metrics.append({**of_part, "generator_loss": loss.detach()})
                yield loss

        update_by_parts(self.discriminator_optimizer, discriminator_losses(), self.accumulate)
        with frozen(self.discriminator):
            update_by_parts(self.generator_optimizer, generator_losses(), self.accumulate)
        if self.averaging:
            self._average(min(self.averaging, (1 + step) / (10 + step)))
        return _together(metrics)

    def _images(self, z: list[Tensor], *, graph: bool = True) -> Tensor:
        """Images by the generator in the precision of the forward passes, with the `graph` of its weights."""
        with autocast(self.device, self.precision), torch.set_grad_enabled(graph):
            images: Tensor = self._generate(*z)
            return images

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        """Move the averaged weights towards those of this step, and take over the statistics of batches."""
        averaged: list[Tensor] = list(self.averaged.parameters())
        weights: list[Tensor] = list(self.generator.parameters())
        torch._foreach_lerp_(averaged, weights, 1 - decay)
        for of_average, buffer in zip(self.averaged.buffers(), self.generator.buffers(), strict=True):
            of_average.copy_(buffer)

    def pictures(self) -> dict[str, np.ndarray]:
        with autocast(self.device, self.precision):
            images = sample(self.averaged, SAMPLE_COUNT, seed=SAMPLE_SEED)
        return {"samples": image_grid(images, columns=SAMPLE_COLUMNS)}


def _together(parts: list[Metrics]) -> Metrics:
    """The metrics of all parts of a step, as one tensor each."""
    found: dict[str, list[Tensor]] = {}
    for part in parts:
        for name, value in part.items():
            found.setdefault(name, []).append(value)
    return {
        name: values[0] if len(values) == 1 else torch.cat([value.reshape(-1) for value in values])
        for name, values in found.items()
    }


def sample(generator: Generator, count: int, *, seed: int) -> Tensor:
    """`count` images (count, C, H, W) in [-1, 1]; batch normalisation uses its running statistics.

    The noise is drawn on the CPU, so that one seed gives the same images on every device.
    """
    device = next(generator.parameters()).device
    noise = generator.noise(count, generator=torch.Generator().manual_seed(seed))
    with evaluating(generator):
        images: Tensor = generator(*(z.to(device) for z in noise))
        return images

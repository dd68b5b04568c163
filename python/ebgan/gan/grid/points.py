"""The configurations of the EBGAN paper's grid (arXiv:1609.03126, its table of the MNIST search).

both        layers of generator and discriminator 2, 3, 4, 5; units 400, 800, 1600, 3200 and 128, 256, 512,
            1024; dropout in the discriminator or none
EBGAN, 512  Adam with rate 0.001, margin 10
GAN, 6144   Adam or SGD for each network, rate 0.01, 0.001 or 0.0001
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from ebgan.errors import UserError, at_least
from ebgan.gan.config import GanConfig, Model
from ebgan.gan.presets import preset
from ebgan.training import OptimizerName

LAYERS = (2, 3, 4, 5)
GENERATOR_WIDTHS, DISCRIMINATOR_WIDTHS = (400, 800, 1600, 3200), (128, 256, 512, 1024)
RATES = (0.01, 0.001, 0.0001)


@dataclass(frozen=True)
class Point:
    """One configuration of the grid."""

    model: Model
    generator_layers: int
    discriminator_layers: int
    generator_width: int
    discriminator_width: int
    dropout: bool
    generator_optimizer: OptimizerName = "adam"
    discriminator_optimizer: OptimizerName = "adam"
    rate: float = 0.001

    @property
    def name(self) -> str:
        """What its run folder is called: no two points share it.

        Example:
            >>> points("ebgan")[0].name, points("gan")[-1].name
            ('ebgan-2x400-2x128', 'gan-5x3200-5x1024-dropout-sgd-sgd-0.0001')
        """
        parts = [
            self.model,
            f"{self.generator_layers}x{self.generator_width}",
            f"{self.discriminator_layers}x{self.discriminator_width}",
            *(["dropout"] if self.dropout else []),
        ]
        if self.model == "gan":
            parts += [self.generator_optimizer, self.discriminator_optimizer, f"{self.rate:g}"]
        return "-".join(parts)

    @property
    def layers(self) -> int:
        """The layers of the deeper of its networks, by which the paper cuts its histograms."""
        return max(self.generator_layers, self.discriminator_layers)

    def configuration(self, *, data: str = "mnist", steps: int, seed: int = 0) -> GanConfig:
        """The configuration of its run, on one thread: many run side by side."""
        return replace(
            preset(data, self.model),
            steps=steps,
            seed=seed,
            threads=1,
            generator_layers=self.generator_layers,
            discriminator_layers=self.discriminator_layers,
            generator_width=self.generator_width,
            discriminator_width=self.discriminator_width,
            dropout=self.dropout,
            optimizer=self.generator_optimizer,
            discriminator_optimizer=self.discriminator_optimizer,
            generator_lr=self.rate,
            discriminator_lr=self.rate,
            picture_every=steps,
            checkpoint_every=min(steps, 500),
            keep=1,
        )


def points(model: Model) -> tuple[Point, ...]:
    """All points of a model: 512 of EBGAN, 6,144 of the plain GAN."""
    optimizers = get_args(OptimizerName) if model == "gan" else ("adam",)
    return tuple(
        Point(model, *sizes)
        for sizes in itertools.product(
            LAYERS,
            LAYERS,
            GENERATOR_WIDTHS,
            DISCRIMINATOR_WIDTHS,
            (False, True),
            optimizers,
            optimizers,
            RATES if model == "gan" else (0.001,),
        )
    )


def subset(of: Sequence[Point], count: int, *, seed: int = 0) -> tuple[Point, ...]:
    """So many of the points at random; a larger subset of the same seed holds the smaller ones.

    Raises:
        UserError: there are not so many points.
    """
    at_least("subset", count, 1)
    if count > len(of):
        raise UserError(f"subset: got {count}, the grid of --model {of[0].model} has {len(of)} points")
    order = np.random.default_rng(seed).permutation(len(of))
    return tuple(of[index] for index in order[:count])

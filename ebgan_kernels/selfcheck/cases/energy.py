"""Cases of the energy family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ebgan_kernels.selfcheck.case import Case, Layout
from ebgan_kernels.selfcheck.cases.drawing import BRAIN, DOUBLE, HALF, SINGLE, Dtypes, Shape, named, normal

REAL, FAKE = ("real_reconstruction", "real"), ("fake_reconstruction", "fake")
# On a GPU one block takes a whole sample of the first size and a cluster of blocks one of the second; two
# passes go over a sample of the third.
ONE_BLOCK, CLUSTER, TWO_PASSES = (3, 64, 64), (3, 128, 128), (500_001,)


def _shaped(shaping: str) -> dict[str, object]:
    """The option where it is not the default, because a table need not name defaults."""
    return {} if shaping == "identity" else {"shaping": shaping}


# Energies. Residuals have a deviation of 0.1 to 0.9, so that some fakes are beyond the margin and some are
# not.


def _pairs(generator: torch.Generator, batches: Sequence[int], sample: Shape) -> list[Tensor]:
    """A reconstruction and its image in [-1, 1] for each batch."""
    tensors = []
    for samples in batches:
        image = 2 * torch.rand(samples, *sample, generator=generator, dtype=torch.float64) - 1
        deviation = torch.linspace(0.1, 0.9, samples, dtype=torch.float64).reshape(-1, *(1 for _ in sample))
        tensors += [image + deviation * normal(generator, samples, *sample), image]
    return tensors


def energy(
    operator: str,
    sample: Shape,
    distance: str = "l2",
    *,
    shaping: str = "identity",
    dtypes: Dtypes = (SINGLE,),
    layout: Layout = "contiguous",
) -> Case:
    elements = math.prod(sample)
    margins = {"l2": 0.5 * elements**0.5, "squared_l2": 0.3 * elements, "mse": 0.3, "l1": 0.4 * elements}
    options: dict[str, object] = {"distance": distance, **_shaped(shaping)}
    names: tuple[str, ...] = ("reconstruction", "target")
    batches: tuple[int, ...] = (2,)
    if operator == "discriminator_loss":
        options["margin"] = margins[distance]
        names, batches = (*REAL, *FAKE), (1, 2)
    elif operator == "generator_loss":
        names = FAKE
    return Case(
        operator=operator,
        shape=f"{'+'.join(map(str, batches))} of {named(sample)}",
        names=names,
        draw=partial(_pairs, batches=batches, sample=sample),
        options=options,
        dtypes=dtypes,
        layout=layout,
        cancelling=0.0,
    )


def _energies(generator: torch.Generator, real: int, fake: int) -> list[Tensor]:
    """Energies of up to twice the margin of 1."""
    return [2 * torch.rand(n, generator=generator, dtype=torch.float64) for n in (real, fake)]


def hinge(real: int, fake: int, *, shaping: str = "identity", dtypes: Dtypes = (SINGLE,)) -> Case:
    return Case(
        operator="hinge_margin_loss",
        shape=f"{real}+{fake}",
        names=("real_energy", "fake_energy"),
        draw=partial(_energies, real=real, fake=fake),
        options={**_shaped(shaping), "margin": 1.0},
        dtypes=dtypes,
        cancelling=0.0,
    )


def _pairs_and_codes(generator: torch.Generator, samples: int, sample: Shape, features: int) -> list[Tensor]:
    return [*_pairs(generator, (samples,), sample), normal(generator, samples, features)]


def generator_with_codes(sample: Shape, features: int, dtypes: Dtypes) -> Case:
    return Case(
        operator="generator_loss",
        shape=f"5 of {named(sample)}, codes 5x{features}",
        names=(*FAKE, "codes"),
        draw=partial(_pairs_and_codes, samples=5, sample=sample, features=features),
        dtypes=dtypes,
        cancelling=1.0,
        allowed=2.0,
    )


CASES = (
    energy("reconstruction_energy", (3, 5, 7)),
    energy("reconstruction_energy", (3, 5, 7), "l1", dtypes=(BRAIN, SINGLE)),
    energy("reconstruction_energy", (3, 5, 7), "mse", dtypes=(DOUBLE,)),
    energy("reconstruction_energy", ONE_BLOCK, "squared_l2", dtypes=(HALF,), layout="channels-last"),
    energy("reconstruction_energy", (783,), "mse", layout="misaligned"),
    energy("reconstruction_energy", CLUSTER),
    energy("reconstruction_energy", TWO_PASSES, "l1"),
    hinge(3, 4),
    hinge(64, 65, shaping="square", dtypes=(HALF,)),
    hinge(64, 64, dtypes=(BRAIN, SINGLE)),
    hinge(3, 4, shaping="square", dtypes=(DOUBLE,)),
    hinge(5000, 3001),
    energy("discriminator_loss", (3, 5, 7)),
    energy("discriminator_loss", (3, 5, 7), "mse", shaping="square", dtypes=(BRAIN, SINGLE)),
    energy("discriminator_loss", (3, 5, 7), dtypes=(DOUBLE,)),
    energy("discriminator_loss", ONE_BLOCK, dtypes=(BRAIN, SINGLE), layout="channels-last"),
    energy("discriminator_loss", (783,), "l1", dtypes=(HALF,), layout="misaligned"),
    energy("discriminator_loss", CLUSTER, "squared_l2"),
    energy("discriminator_loss", TWO_PASSES),
    energy("generator_loss", (3, 5, 7)),
    energy("generator_loss", (3, 5, 7), "l1", shaping="square", dtypes=(HALF,)),
    energy("generator_loss", (3, 5, 7), "mse", dtypes=(DOUBLE,)),
    generator_with_codes((3, 5, 7), 33, (SINGLE,)),
    generator_with_codes(ONE_BLOCK, 1000, (BRAIN, SINGLE)),
    energy("generator_loss", TWO_PASSES, dtypes=(BRAIN,)),
)

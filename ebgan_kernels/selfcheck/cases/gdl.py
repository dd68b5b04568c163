"""Cases of the gradient-difference family."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ebgan_kernels.selfcheck.case import Case, Layout
from ebgan_kernels.selfcheck.cases.drawing import BRAIN, DOUBLE, HALF, SINGLE, Dtypes, Shape, named, normal

# Gradient differences. With exponents of 1 a gradient is a sum of signs. Multiples of 1/64 have exact
# differences in every dtype, so that a tie is a tie for all implementations.


def _grid(generator: torch.Generator, shapes: Sequence[Shape]) -> list[Tensor]:
    return [torch.randint(-128, 128, shape, generator=generator).double() / 64 for shape in shapes]


def gdl(
    operator: str,
    shape: Shape,
    *,
    dtypes: Dtypes = (SINGLE,),
    layout: Layout = "contiguous",
    **options: object,
) -> Case:
    return Case(
        operator=operator,
        shape=named(shape),
        names=("prediction", "target"),
        draw=partial(_grid, shapes=(shape, shape)),
        options=options,
        dtypes=dtypes,
        layout=layout,
    )


def multiscale(
    scales: int,
    shape: Shape,
    *,
    dtypes: Dtypes = (SINGLE,),
    target_wants_gradient: bool = False,
    **options: object,
) -> Case:
    """A case of the multi-scale loss; ``dtypes`` has one for all predictions and one for the target."""
    *leading, height, width = shape
    shapes = [(*leading, height >> k, width >> k) for k in reversed(range(scales))]
    names = [f"predictions[{k}]" for k in range(scales)]
    return Case(
        operator="multiscale_prediction_loss",
        shape=f"{scales} scales to {named(shape)}" + (", target's too" if target_wants_gradient else ""),
        names=(*names, "target"),
        draw=partial(_grid, shapes=(*shapes, shape)),
        options={**options, "scale_weights": [1.0 + k for k in range(scales)]},
        dtypes=(*dtypes[:1] * scales, dtypes[-1]),
        constants=() if target_wants_gradient else ("target",),
    )


def _one_normal(generator: torch.Generator, shape: Shape) -> list[Tensor]:
    return [normal(generator, *shape)]


def pyramid(levels: int, shape: Shape, dtypes: Dtypes = (SINGLE,)) -> Case:
    return Case(
        operator="average_pyramid",
        shape=named(shape),
        names=("x",),
        draw=partial(_one_normal, shape=shape),
        options={"levels": levels},
        dtypes=dtypes,
    )


CASES = (
    gdl("gradient_difference_loss", (2, 3, 6, 10)),
    gdl("gradient_difference_loss", (2, 3, 7, 9), alpha=2.0, dtypes=(BRAIN, SINGLE)),
    gdl("gradient_difference_loss", (2, 3, 4, 6, 10), alpha=1.5, spatial_dims=3, reduction="none"),
    gdl("gradient_difference_loss", (2, 3, 6, 10), alpha=1.5, dtypes=(DOUBLE,)),
    gdl("gradient_difference_loss", (8, 3, 65, 127), alpha=2.0),
    gdl("gradient_difference_loss", (2, 17, 33, 64), alpha=1.0, spatial_dims=3, dtypes=(HALF,)),
    gdl("prediction_loss", (2, 3, 6, 10), p=1, alpha=1.0),
    gdl("prediction_loss", (2, 3, 7, 9), p=2, alpha=1.5, reduction="sum", dtypes=(HALF,)),
    gdl("prediction_loss", (2, 3, 6, 10), p=2, alpha=2.0, dtypes=(DOUBLE,)),
    gdl("prediction_loss", (3, 3, 4, 6, 10), p=2, alpha=2.0, spatial_dims=3, reduction="none"),
    gdl("prediction_loss", (8, 3, 64, 64), p=1, alpha=1.0, dtypes=(BRAIN, SINGLE), layout="channels-last"),
    gdl("prediction_loss", (2, 3, 33, 1030), p=2, alpha=2.0, layout="misaligned"),
    multiscale(2, (2, 3, 12, 20), p=1, alpha=1.0),
    multiscale(2, (1, 3, 12, 20), p=2, alpha=1.5, dtypes=(BRAIN, SINGLE)),
    multiscale(2, (1, 3, 12, 20), p=2, alpha=2.0, dtypes=(DOUBLE,)),
    multiscale(2, (1, 3, 12, 20), p=1, alpha=1.0, target_wants_gradient=True),
    multiscale(4, (4, 24, 32, 32), p=2, alpha=1.0),
    multiscale(4, (1, 3, 200, 48), p=2, alpha=2.0, dtypes=(HALF, HALF)),
    pyramid(3, (2, 3, 12, 20)),
    pyramid(2, (2, 3, 6, 10), (BRAIN,)),
    pyramid(2, (2, 3, 6, 10), (DOUBLE,)),
    pyramid(4, (4, 3, 136, 72)),
    pyramid(4, (4, 3, 64, 64), (HALF,)),
)

"""Cases of the pulling-away term."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ebgan_kernels.selfcheck.case import Case
from ebgan_kernels.selfcheck.cases.drawing import BRAIN, DOUBLE, HALF, SINGLE, Dtypes, normal

# Pulling away. Norms come from the diagonal of a product, which rounds at every addition, and the terms of a
# gradient nearly cancel. So two units are allowed, in the unit of the largest element.


def _codes(generator: torch.Generator, rows: int, features: int) -> list[Tensor]:
    return [normal(generator, rows, features)]


def pulling_away(rows: int, features: int, dtypes: Dtypes = (SINGLE,)) -> Case:
    return Case(
        operator="pulling_away",
        shape=f"{rows}x{features}",
        names=("codes",),
        draw=partial(_codes, rows=rows, features=features),
        dtypes=dtypes,
        cancelling=1.0,
        allowed=2.0,
    )


CASES = (
    pulling_away(5, 64),
    pulling_away(33, 40, (BRAIN,)),
    pulling_away(7, 3, (HALF,)),
    pulling_away(9, 33, (DOUBLE,)),
    pulling_away(300, 20),
    pulling_away(1030, 1100),
)

"""Cases of the ladder family."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ebgan_kernels.selfcheck.case import Case
from ebgan_kernels.selfcheck.cases.drawing import (
    BRAIN,
    DOUBLE,
    HALF,
    SINGLE,
    Dtypes,
    Shape,
    active,
    named,
    normal,
)


def _decoder(
    generator: torch.Generator, leading: Shape, rows: int, units: int, names: Sequence[str]
) -> list[Tensor]:
    shapes = {"parameters": (10, units), "mean": (units,), "std": (units,)}
    drawn = {name: normal(generator, *leading, *shapes.get(name, (rows, units))) for name in names}
    if "std" in drawn:
        drawn["std"] = drawn["std"].abs() + 0.5
    return list(drawn.values())


def denoising(
    operator: str, rows: int, units: int, *, leading: Shape = (), dtypes: Dtypes = (SINGLE,)
) -> Case:
    names: tuple[str, ...] = ("z", "u", "parameters")
    if operator == "ladder_denoising_cost":
        names = ("z_clean", *names, "mean", "std")
    return Case(
        operator=operator,
        shape=named((*leading, rows, units)),
        names=names,
        draw=partial(_decoder, leading=leading, rows=rows, units=units, names=names),
        dtypes=dtypes,
    )


def _encoder(
    generator: torch.Generator, axes: Shape, rows: int, units: int, given: Sequence[str]
) -> list[Tensor]:
    of_units = (*axes[:-1], units)
    drawn = {
        "x": 3 * normal(generator, *axes, rows, units) + normal(generator, *axes, 1, units),
        "noise": 0.3 * normal(generator, *axes, rows, units),
        "beta": normal(generator, *of_units),
        "gamma": 1 + 0.5 * normal(generator, *of_units),
    }
    return [drawn[name] for name in ("x", *given)]


def layer(
    axes: Shape,
    rows: int,
    units: int,
    given: tuple[str, ...],
    activation: str,
    dtypes: Dtypes = (SINGLE,),
) -> Case:
    return Case(
        operator="ladder_layer",
        shape=named((*axes, rows, units)) + "".join(f" +{name}" for name in given),
        names=("x", *given),
        draw=partial(_encoder, axes=axes, rows=rows, units=units, given=given),
        options=active(activation),
        dtypes=dtypes,
        constants=("noise",),
    )


CASES = (
    *(
        case
        for operator in ("gaussian_combinator", "ladder_denoising_cost")
        for case in (
            denoising(operator, 6, 10),
            denoising(operator, 9, 33, dtypes=(BRAIN, SINGLE)),
            denoising(operator, 6, 10, leading=(2, 2), dtypes=(HALF,)),
            denoising(operator, 6, 10, dtypes=(DOUBLE,)),
            denoising(operator, 100, 784),
            denoising(operator, 129, 250, leading=(3,), dtypes=(BRAIN, SINGLE)),
        )
    ),
    layer((2,), 6, 10, ("noise", "beta"), "relu"),
    layer((2, 2), 6, 10, ("noise", "beta", "gamma"), "none", (BRAIN, SINGLE)),
    layer((1,), 6, 33, ("gamma",), "relu", (HALF,)),
    layer((1,), 9, 33, (), "none"),
    layer((2,), 6, 10, ("noise", "beta", "gamma"), "relu", (DOUBLE,)),
    layer((2,), 100, 784, ("noise", "beta", "gamma"), "relu"),
    layer((3, 2), 65, 81, ("noise", "beta"), "relu", (BRAIN, SINGLE)),
)

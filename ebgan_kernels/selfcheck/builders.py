"""Makes the cases of each operator: the tensors it takes, how they are drawn, and what its sums allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ebgan_kernels.selfcheck.case import Case, Layout

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
Dtypes = tuple[torch.dtype, ...]
Shape = tuple[int, ...]
REAL, FAKE = ("real_reconstruction", "real"), ("fake_reconstruction", "fake")


def _normal(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _shaped(shaping: str) -> dict[str, object]:
    """The option where it is not the default, because a table need not name defaults."""
    return {} if shaping == "identity" else {"shaping": shaping}


def _active(activation: str) -> dict[str, object]:
    return {} if activation == "none" else {"activation": activation}


def _named(shape: Shape) -> str:
    return "x".join(map(str, shape))


# Energies. Residuals have a deviation of 0.1 to 0.9, so that some fakes are beyond the margin and some are
# not.


def _pairs(generator: torch.Generator, batches: Sequence[int], sample: Shape) -> list[Tensor]:
    """A reconstruction and its image in [-1, 1] for each batch."""
    tensors = []
    for samples in batches:
        image = 2 * torch.rand(samples, *sample, generator=generator, dtype=torch.float64) - 1
        deviation = torch.linspace(0.1, 0.9, samples, dtype=torch.float64).reshape(-1, *(1 for _ in sample))
        tensors += [image + deviation * _normal(generator, samples, *sample), image]
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
        shape=f"{'+'.join(map(str, batches))} of {_named(sample)}",
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


# Pulling away. Norms come from the diagonal of a product, which rounds at every addition, and the terms of a
# gradient nearly cancel. So two units are allowed, in the unit of the largest element.


def _codes(generator: torch.Generator, rows: int, features: int) -> list[Tensor]:
    return [_normal(generator, rows, features)]


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


def _pairs_and_codes(generator: torch.Generator, samples: int, sample: Shape, features: int) -> list[Tensor]:
    return [*_pairs(generator, (samples,), sample), _normal(generator, samples, features)]


def generator_with_codes(sample: Shape, features: int, dtypes: Dtypes) -> Case:
    return Case(
        operator="generator_loss",
        shape=f"5 of {_named(sample)}, codes 5x{features}",
        names=(*FAKE, "codes"),
        draw=partial(_pairs_and_codes, samples=5, sample=sample, features=features),
        dtypes=dtypes,
        cancelling=1.0,
        allowed=2.0,
    )


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
        shape=_named(shape),
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
        shape=f"{scales} scales to {_named(shape)}" + (", target's too" if target_wants_gradient else ""),
        names=(*names, "target"),
        draw=partial(_grid, shapes=(*shapes, shape)),
        options={**options, "scale_weights": [1.0 + k for k in range(scales)]},
        dtypes=(*dtypes[:1] * scales, dtypes[-1]),
        constants=() if target_wants_gradient else ("target",),
    )


def _one_normal(generator: torch.Generator, shape: Shape) -> list[Tensor]:
    return [_normal(generator, *shape)]


def pyramid(levels: int, shape: Shape, dtypes: Dtypes = (SINGLE,)) -> Case:
    return Case(
        operator="average_pyramid",
        shape=_named(shape),
        names=("x",),
        draw=partial(_one_normal, shape=shape),
        options={"levels": levels},
        dtypes=dtypes,
    )


# Ladders.


def _decoder(
    generator: torch.Generator, leading: Shape, rows: int, units: int, names: Sequence[str]
) -> list[Tensor]:
    shapes = {"parameters": (10, units), "mean": (units,), "std": (units,)}
    drawn = {name: _normal(generator, *leading, *shapes.get(name, (rows, units))) for name in names}
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
        shape=_named((*leading, rows, units)),
        names=names,
        draw=partial(_decoder, leading=leading, rows=rows, units=units, names=names),
        dtypes=dtypes,
    )


def _encoder(
    generator: torch.Generator, axes: Shape, rows: int, units: int, given: Sequence[str]
) -> list[Tensor]:
    of_units = (*axes[:-1], units)
    drawn = {
        "x": 3 * _normal(generator, *axes, rows, units) + _normal(generator, *axes, 1, units),
        "noise": 0.3 * _normal(generator, *axes, rows, units),
        "beta": _normal(generator, *of_units),
        "gamma": 1 + 0.5 * _normal(generator, *of_units),
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
        shape=_named((*axes, rows, units)) + "".join(f" +{name}" for name in given),
        names=("x", *given),
        draw=partial(_encoder, axes=axes, rows=rows, units=units, given=given),
        options=_active(activation),
        dtypes=dtypes,
        constants=("noise",),
    )


# Convolutions. A layer is (N, C, H, W, O, KH, KW).


def _layers(generator: torch.Generator, layers: Sequence[Shape]) -> list[Tensor]:
    inputs = [_normal(generator, *layer[:4]) for layer in layers]
    weights = [
        _normal(generator, maps, channels, *kernel) * (channels * math.prod(kernel)) ** -0.5
        for _, channels, _, _, maps, *kernel in layers
    ]
    return [*inputs, *weights, *(_normal(generator, layer[4]) for layer in layers)]


def _convolution(
    operator: str,
    shape: str,
    names: tuple[str, ...],
    layers: Sequence[Shape],
    activation: str,
    dtypes: Dtypes,
    layout: Layout,
) -> Case:
    # Each order of the terms of a sum loses other digits, more of them in longer sums, and outputs that
    # cancel have no digit in common. In a half type the slope of an activation is taken from a rounded
    # output, and the gradient is rounded again before it is summed, in torch's convolutions too.
    half = dtypes[0] in (HALF, BRAIN)
    terms = max(max(channels, maps) * math.prod(kernel) for _, channels, _, _, maps, *kernel in layers)
    return Case(
        operator=operator,
        shape=shape,
        names=names,
        draw=partial(_layers, layers=layers),
        options=_active(activation),
        dtypes=dtypes,
        layout=layout,
        cancelling=1.0,
        allowed=2.0 if half else max(1.0, terms**0.5 / 16),
    )


def conv(layer: Shape, activation: str, dtypes: Dtypes = (SINGLE,), layout: Layout = "contiguous") -> Case:
    shape = f"{_named(layer[:4])} * {_named(layer[4:])}"
    names = ("input", "weight", "bias")
    return _convolution("valid_conv2d", shape, names, (layer,), activation, dtypes, layout)


def multiscale_conv(
    layers: Sequence[Shape], activation: str, dtypes: Dtypes = (SINGLE,), layout: Layout = "contiguous"
) -> Case:
    shape = f"{len(layers)} scales, {_named(layers[-1][:4])} * {_named(layers[-1][4:])}"
    names = tuple(f"{kind}[{k}]" for kind in ("inputs", "weights", "biases") for k in range(len(layers)))
    return _convolution("multiscale_valid_conv2d", shape, names, layers, activation, dtypes, layout)

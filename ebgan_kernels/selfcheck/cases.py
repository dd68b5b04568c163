"""What is checked: for each operator the sizes and dtypes at which kernels take different paths.

Every operator has a case of few elements and of each kind of dtype; those of few elements are all that a simulation of
kernels on the CPU can end in time. Sizes are odd where rows should not begin at a multiple of a vector.
"""

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


def _named(shape: Shape) -> str:
    return "x".join(map(str, shape))


# Energies. Residuals have a deviation of 0.1 to 0.9, so that of the fakes some are beyond the margin and some not.


def _pairs(generator: torch.Generator, batches: Sequence[int], sample: Shape) -> list[Tensor]:
    """A reconstruction and its image in [-1, 1] for each batch."""
    tensors = []
    for samples in batches:
        image = 2 * torch.rand(samples, *sample, generator=generator, dtype=torch.float64) - 1
        deviation = torch.linspace(0.1, 0.9, samples, dtype=torch.float64).reshape(-1, *(1 for _ in sample))
        tensors += [image + deviation * _normal(generator, samples, *sample), image]
    return tensors


def _energy(
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
    options: dict[str, object] = {"distance": distance}
    names, batches = ("reconstruction", "target"), (2,)
    if operator == "discriminator_loss":
        options |= {"shaping": shaping, "margin": margins[distance]}
        names, batches = (*REAL, *FAKE), (1, 2)
    elif operator == "generator_loss":
        options |= {"shaping": shaping}
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
    """Up to twice the margin of 1."""
    return [2 * torch.rand(n, generator=generator, dtype=torch.float64) for n in (real, fake)]


def _hinge(real: int, fake: int, *, shaping: str = "identity", dtypes: Dtypes = (SINGLE,)) -> Case:
    return Case(
        operator="hinge_margin_loss",
        shape=f"{real}+{fake}",
        names=("real_energy", "fake_energy"),
        draw=partial(_energies, real=real, fake=fake),
        options={"shaping": shaping, "margin": 1.0},
        dtypes=dtypes,
        cancelling=0.0,
    )


# Pulling away. Norms come off the diagonal of a product, which rounds at every addition, and what is left of a gradient
# is small: hence the two units, and the unit of the largest element.


def _codes(generator: torch.Generator, rows: int, features: int) -> list[Tensor]:
    return [_normal(generator, rows, features)]


def _pulling_away(rows: int, features: int, dtypes: Dtypes = (SINGLE,)) -> Case:
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


def _generator_with_codes(sample: Shape, features: int, dtypes: Dtypes) -> Case:
    return Case(
        operator="generator_loss",
        shape=f"5 of {_named(sample)}, codes 5x{features}",
        names=(*FAKE, "codes"),
        draw=partial(_pairs_and_codes, samples=5, sample=sample, features=features),
        dtypes=dtypes,
        cancelling=1.0,
        allowed=2.0,
    )


# Gradient differences. With exponents of 1 a gradient is a sum of signs: multiples of 1/64 have exact differences in
# every dtype, so that a tie is a tie for all.


def _grid(generator: torch.Generator, shapes: Sequence[Shape]) -> list[Tensor]:
    return [torch.randint(-128, 128, shape, generator=generator).double() / 64 for shape in shapes]


def _gdl(
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


def _multiscale(
    scales: int,
    shape: Shape,
    *,
    dtypes: Dtypes = (SINGLE,),
    target_wants_gradient: bool = False,
    **options: object,
) -> Case:
    """``dtypes`` are those of all predictions and of the target."""
    *leading, height, width = shape
    shapes = [(*leading, height >> k, width >> k) for k in reversed(range(scales))]
    names = [f"predictions[{k}]" for k in range(scales)]
    return Case(
        operator="multiscale_prediction_loss",
        shape=f"{scales} scales to {_named(shape)}" + (", gradient of target" if target_wants_gradient else ""),
        names=(*names, "target"),
        draw=partial(_grid, shapes=(*shapes, shape)),
        options={**options, "scale_weights": [1.0 + k for k in range(scales)]},
        dtypes=(*dtypes[:1] * scales, dtypes[-1]),
        constants=() if target_wants_gradient else ("target",),
    )


def _one_normal(generator: torch.Generator, shape: Shape) -> list[Tensor]:
    return [_normal(generator, *shape)]


def _pyramid(levels: int, shape: Shape, dtypes: Dtypes = (SINGLE,)) -> Case:
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


def _denoising(
    operator: str, rows: int, units: int, *, leading: Shape = (), dtypes: Dtypes = (SINGLE,)
) -> Case:
    names = ("z", "u", "parameters")
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


def _layer(
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
        options={"activation": activation},
        dtypes=dtypes,
        constants=("noise",),
    )


# Convolutions: (N, C, H, W, O, KH, KW).


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
    # Rounding grows with the number of terms of a sum. In a half type the slope of an activation is taken of a rounded
    # output, and what arrives is rounded again before it is summed, in torch's convolutions too.
    half = dtypes[0] in (HALF, BRAIN)
    terms = max(channels * math.prod(kernel) for _, channels, _, _, _, *kernel in layers)
    return Case(
        operator=operator,
        shape=shape,
        names=names,
        draw=partial(_layers, layers=layers),
        options={"activation": activation},
        dtypes=dtypes,
        layout=layout,
        cancelling=1.0 if half else 0.1,
        allowed=2.0 if half else max(1.0, terms**0.5 / 16),
    )


def _conv(
    layer: Shape, activation: str, dtypes: Dtypes = (SINGLE,), layout: Layout = "contiguous"
) -> Case:
    shape = f"{_named(layer[:4])} to {_named(layer[4:])}"
    names = ("input", "weight", "bias")
    return _convolution("valid_conv2d", shape, names, (layer,), activation, dtypes, layout)


def _multiscale_conv(
    layers: Sequence[Shape], activation: str, dtypes: Dtypes = (SINGLE,), layout: Layout = "contiguous"
) -> Case:
    shape = f"{len(layers)} scales, {_named(layers[-1][:4])} to {_named(layers[-1][4:])}"
    names = tuple(f"{kind}[{k}]" for kind in ("inputs", "weights", "biases") for k in range(len(layers)))
    return _convolution("multiscale_valid_conv2d", shape, names, layers, activation, dtypes, layout)


# Of these on a GPU a block takes a whole sample, a cluster of blocks, and two passes go over it.
ONE_BLOCK, CLUSTER, TWO_PASSES = (3, 64, 64), (3, 128, 128), (500_001,)
FEW_SCALES = ((2, 3, 4, 4, 5, 3, 3), (3, 2, 3, 3, 17, 3, 3))
# The first layers of the discriminator of 4 to 1.
FOUR_SCALES = (
    (2, 15, 4, 4, 64, 3, 3),
    (2, 15, 8, 8, 64, 3, 3),
    (2, 15, 16, 16, 128, 5, 5),
    (2, 15, 32, 32, 128, 7, 7),
)

ENERGY = (
    _energy("reconstruction_energy", (3, 5, 7)),
    _energy("reconstruction_energy", (3, 5, 7), "l1", dtypes=(BRAIN, SINGLE)),
    _energy("reconstruction_energy", (3, 5, 7), "mse", dtypes=(DOUBLE,)),
    _energy("reconstruction_energy", ONE_BLOCK, "squared_l2", dtypes=(HALF,), layout="channels-last"),
    _energy("reconstruction_energy", (783,), "mse", layout="misaligned"),
    _energy("reconstruction_energy", CLUSTER),
    _energy("reconstruction_energy", TWO_PASSES, "l1"),
    _hinge(3, 4),
    _hinge(64, 65, shaping="square", dtypes=(HALF,)),
    _hinge(64, 64, dtypes=(BRAIN, SINGLE)),
    _hinge(3, 4, shaping="square", dtypes=(DOUBLE,)),
    _hinge(5000, 3001),
    _energy("discriminator_loss", (3, 5, 7)),
    _energy("discriminator_loss", (3, 5, 7), "mse", shaping="square", dtypes=(BRAIN, SINGLE)),
    _energy("discriminator_loss", (3, 5, 7), dtypes=(DOUBLE,)),
    _energy("discriminator_loss", ONE_BLOCK, dtypes=(BRAIN, SINGLE), layout="channels-last"),
    _energy("discriminator_loss", (783,), "l1", dtypes=(HALF,), layout="misaligned"),
    _energy("discriminator_loss", CLUSTER, "squared_l2"),
    _energy("discriminator_loss", TWO_PASSES),
    _energy("generator_loss", (3, 5, 7)),
    _energy("generator_loss", (3, 5, 7), "l1", shaping="square", dtypes=(HALF,)),
    _energy("generator_loss", (3, 5, 7), "mse", dtypes=(DOUBLE,)),
    _generator_with_codes((3, 5, 7), 33, (SINGLE,)),
    _generator_with_codes(ONE_BLOCK, 1000, (BRAIN, SINGLE)),
    _energy("generator_loss", TWO_PASSES, dtypes=(BRAIN,)),
)
PULLING_AWAY = (
    _pulling_away(5, 64),
    _pulling_away(33, 40, (BRAIN,)),
    _pulling_away(7, 3, (HALF,)),
    _pulling_away(9, 33, (DOUBLE,)),
    _pulling_away(300, 20),
    _pulling_away(1030, 1100),
)
GDL = (
    _gdl("gradient_difference_loss", (2, 3, 6, 10)),
    _gdl("gradient_difference_loss", (2, 3, 7, 9), alpha=2.0, dtypes=(BRAIN, SINGLE)),
    _gdl("gradient_difference_loss", (2, 3, 4, 6, 10), alpha=1.5, spatial_dims=3, reduction="none"),
    _gdl("gradient_difference_loss", (2, 3, 6, 10), alpha=1.5, dtypes=(DOUBLE,)),
    _gdl("gradient_difference_loss", (8, 3, 65, 127), alpha=2.0),
    _gdl("gradient_difference_loss", (2, 17, 33, 64), alpha=1.0, spatial_dims=3, dtypes=(HALF,)),
    _gdl("prediction_loss", (2, 3, 6, 10), p=1, alpha=1.0),
    _gdl("prediction_loss", (2, 3, 7, 9), p=2, alpha=1.5, reduction="sum", dtypes=(HALF,)),
    _gdl("prediction_loss", (2, 3, 6, 10), p=2, alpha=2.0, dtypes=(DOUBLE,)),
    _gdl("prediction_loss", (3, 3, 4, 6, 10), p=2, alpha=2.0, spatial_dims=3, reduction="none"),
    _gdl("prediction_loss", (8, 3, 64, 64), p=1, alpha=1.0, dtypes=(BRAIN, SINGLE), layout="channels-last"),
    _gdl("prediction_loss", (2, 3, 33, 1030), p=2, alpha=2.0, layout="misaligned"),
    _multiscale(2, (2, 3, 12, 20), p=1, alpha=1.0),
    _multiscale(2, (1, 3, 12, 20), p=2, alpha=1.5, dtypes=(BRAIN, SINGLE)),
    _multiscale(2, (1, 3, 12, 20), p=2, alpha=2.0, dtypes=(DOUBLE,)),
    _multiscale(2, (1, 3, 12, 20), p=1, alpha=1.0, target_wants_gradient=True),
    _multiscale(4, (4, 24, 32, 32), p=2, alpha=1.0),
    _multiscale(4, (1, 3, 200, 48), p=2, alpha=2.0, dtypes=(HALF, HALF)),
    _pyramid(3, (2, 3, 12, 20)),
    _pyramid(2, (2, 3, 6, 10), (BRAIN,)),
    _pyramid(2, (2, 3, 6, 10), (DOUBLE,)),
    _pyramid(4, (4, 3, 136, 72)),
    _pyramid(4, (4, 3, 64, 64), (HALF,)),
)
LADDER = (
    *(
        case
        for operator in ("gaussian_combinator", "ladder_denoising_cost")
        for case in (
            _denoising(operator, 6, 10),
            _denoising(operator, 9, 33, dtypes=(BRAIN, SINGLE)),
            _denoising(operator, 6, 10, leading=(2, 2), dtypes=(HALF,)),
            _denoising(operator, 6, 10, dtypes=(DOUBLE,)),
            _denoising(operator, 100, 784),
            _denoising(operator, 129, 250, leading=(3,), dtypes=(BRAIN, SINGLE)),
        )
    ),
    _layer((2,), 6, 10, ("noise", "beta"), "relu"),
    _layer((2, 2), 6, 10, ("noise", "beta", "gamma"), "none", (BRAIN, SINGLE)),
    _layer((1,), 6, 33, ("gamma",), "relu", (HALF,)),
    _layer((1,), 9, 33, (), "none"),
    _layer((2,), 6, 10, ("noise", "beta", "gamma"), "relu", (DOUBLE,)),
    _layer((2,), 100, 784, ("noise", "beta", "gamma"), "relu"),
    _layer((3, 2), 65, 81, ("noise", "beta"), "relu", (BRAIN, SINGLE)),
)
# Thin layers, and those of whose sums tensor cores take a part; every activation.
VALID_CONV = (
    _conv((2, 2, 4, 5, 3, 2, 3), "relu"),
    _conv((2, 2, 4, 5, 3, 2, 3), "tanh", (BRAIN,), "channels-last"),
    _conv((2, 16, 5, 4, 17, 3, 2), "leaky_relu", (HALF,)),
    _conv((1, 1, 9, 5, 1, 1, 1), "none", (DOUBLE,)),
    _conv((3, 3, 34, 33, 16, 3, 3), "leaky_relu", layout="channels-last"),
    _conv((2, 64, 20, 20, 128, 5, 5), "relu"),
    _conv((2, 64, 20, 20, 128, 5, 5), "tanh", (BRAIN,), "channels-last"),
    _conv((4, 128, 6, 6, 256, 3, 3), "leaky_relu", (HALF,)),
    _conv((4, 256, 8, 8, 256, 5, 5), "tanh", layout="channels-last"),
    _conv((2, 128, 12, 12, 3, 3, 3), "none", (BRAIN,)),
    _multiscale_conv(FEW_SCALES, "relu"),
    _multiscale_conv(FEW_SCALES, "leaky_relu", (BRAIN,), "channels-last"),
    _multiscale_conv(FEW_SCALES, "tanh", (HALF,)),
    _multiscale_conv(FEW_SCALES, "none", (DOUBLE,)),
    _multiscale_conv(FOUR_SCALES, "relu"),
    _multiscale_conv(FOUR_SCALES, "relu", (BRAIN,), "channels-last"),
)
CASES = (*ENERGY, *PULLING_AWAY, *GDL, *LADDER, *VALID_CONV)

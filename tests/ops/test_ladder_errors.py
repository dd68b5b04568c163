"""Wrong input: the message names the argument, what came, what is allowed, and what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.errors import assert_refused

Z, PARAMETERS, STATISTIC = torch.zeros(4, 5), torch.zeros(10, 5), torch.ones(5)


def cost(**changed: Tensor | float) -> object:
    arguments = {"z_clean": Z, "z": Z, "u": Z, "parameters": PARAMETERS, "mean": STATISTIC, "std": STATISTIC}
    return ek.ladder_denoising_cost(**(arguments | changed))


WRONG: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    "u of another batch": (
        lambda: ek.gaussian_combinator(Z, Z[:1], PARAMETERS),
        ValueError,
        ("u has shape (1, 5)", "z of (4, 5)", "(..., N, D), here (4, 5)", "nothing is broadcast"),
    ),
    "nine parameters": (
        lambda: ek.gaussian_combinator(Z, Z, PARAMETERS[:9]),
        ValueError,
        ("parameters has shape (9, 5)", "(..., 10, D), here (10, 5)", "reshape"),
    ),
    "parameters without the networks": (
        lambda: ek.gaussian_combinator(Z.expand(3, 4, 5), Z.expand(3, 4, 5), PARAMETERS),
        ValueError,
        ("parameters has shape (10, 5)", "here (3, 10, 5)", "expand"),
    ),
    "parameters that are the unit's": (
        lambda: ek.gaussian_combinator(Z, Z, PARAMETERS.mT),
        ValueError,
        ("parameters has shape (5, 10)", "here (10, 5)"),
    ),
    "one row": (
        lambda: ek.gaussian_combinator(Z[0], Z[0], PARAMETERS),
        ValueError,
        ("z has shape (5,)", "(..., N, D)", "z[None]"),
    ),
    "a clean target of another size": (
        lambda: cost(z_clean=Z[:, :4]),
        ValueError,
        ("z_clean has shape (4, 4)", "here (4, 5)"),
    ),
    "a mean with its batch axis kept": (
        lambda: cost(mean=STATISTIC[None]),
        ValueError,
        ("mean has shape (1, 5)", "(..., D), here (5,)", "reshape"),
    ),
    "a single deviation": (
        lambda: cost(std=torch.ones(())),
        ValueError,
        ("std has shape ()", "here (5,)", "expand"),
    ),
    "two devices": (
        lambda: cost(std=STATISTIC.to("meta")),
        ValueError,
        ("std is on meta", "z on cpu", "std.to(z.device)"),
    ),
    "float64 beside float32": (
        lambda: cost(mean=STATISTIC.double()),
        TypeError,
        ("z is torch.float32", "mean torch.float64", "float64 goes only with float64"),
    ),
    "half beside float64": (
        lambda: ek.gaussian_combinator(Z.double(), Z.half(), PARAMETERS.double()),
        TypeError,
        ("z is torch.float64", "u torch.float16", "float64 goes only with float64"),
    ),
    "integers": (
        lambda: ek.gaussian_combinator(Z, Z.long(), PARAMETERS),
        TypeError,
        ("u is torch.int64", "float16, bfloat16, float32 or float64", "u.float()"),
    ),
    "a layer of one part without its axis": (
        lambda: ek.ladder_layer(Z),
        ValueError,
        ("x has shape (4, 5)", "(..., P, N, D)", "x[None]"),
    ),
    "a layer of single samples": (
        lambda: ek.ladder_layer(Z[:, None]),
        ValueError,
        ("x has shape (4, 1, 5), N = 1", "variance", "at least 2 samples"),
    ),
    "noise of another part": (
        lambda: ek.ladder_layer(Z.expand(2, 4, 5), Z[None]),
        ValueError,
        ("noise has shape (1, 4, 5)", "x of (2, 4, 5)", "(..., P, N, D), here (2, 4, 5)"),
    ),
    "beta of each part": (
        lambda: ek.ladder_layer(Z.expand(2, 4, 5), None, torch.zeros(2, 5)),
        ValueError,
        ("beta has shape (2, 5)", "(..., D), here (5,)", "nothing is broadcast"),
    ),
    "one gamma": (
        lambda: ek.ladder_layer(Z[None], gamma=torch.ones(1)),
        ValueError,
        ("gamma has shape (1,)", "here (5,)", "expand"),
    ),
    "an unknown activation": (
        lambda: ek.ladder_layer(Z[None], activation="tanh"),  # type: ignore[arg-type]
        ValueError,
        ("activation is 'tanh'", "'none', 'relu'"),
    ),
    "noise that learns": (
        lambda: ek.ladder_layer(Z[None], torch.zeros(1, 4, 5, requires_grad=True)),
        ValueError,
        ("noise requires a gradient", "noise.detach()"),
    ),
    "float64 noise": (
        lambda: ek.ladder_layer(Z[None], Z[None].double()),
        TypeError,
        ("x is torch.float32", "noise torch.float64", "float64 goes only with float64"),
    ),
    "no tensor": (lambda: cost(mean=0.0), TypeError, ("mean is float", "torch.Tensor")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named_with_what_came_and_what_is_allowed(name: str) -> None:
    assert_refused(*WRONG[name])


def test_wrong_input_is_refused_under_torch_compile_too() -> None:
    torch._dynamo.reset()
    with pytest.raises(Exception, match="nothing is broadcast"):
        torch.compile(ek.gaussian_combinator, backend="eager", fullgraph=True)(Z, Z[:1], PARAMETERS)

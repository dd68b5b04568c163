"""torch.library.opcheck of every registered operator: schema, fake kernel, aliasing, dynamic shapes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.native.ladder import SCHEMAS
from ebgan_kernels.ops.gradients import operator
from support.implementations import device_of
from support.ladder import COST, Case

ALL, FEW, NONE = 0b111111, 0b001010, 0
Inputs = list[Tensor]


def layer(x: Inputs) -> tuple[Tensor, ...]:
    """x and noise of two parts, beta and gamma."""
    parts, noise = (torch.stack((tensor, 2 * tensor), -3) for tensor in x[:2])
    return parts, noise, x[4], x[5]


def statistics(x: Inputs) -> tuple[Tensor, ...]:
    """mean and std of both parts, in the dtype that they are returned in."""
    dtype = torch.promote_types(x[0].dtype, torch.float32)
    return tuple(torch.stack((tensor, tensor + 1), -2).to(dtype) for tensor in x[4:])


def results(x: Inputs) -> tuple[Tensor, ...]:
    """Gradients of z, h, mean and std."""
    return *(tensor.clone() for tensor in layer(x)[:2]), *(tensor.clone() for tensor in statistics(x))


def three(x: Inputs) -> Tensor:
    """An incoming gradient of 3 for each network."""
    return x[1].new_full(x[1].shape[:-2], 3.0, dtype=torch.promote_types(x[1].dtype, torch.float32))


ARGUMENTS: dict[str, Callable[[Inputs], tuple[object, ...]]] = {
    "gaussian_combinator": lambda x: (*x[1:4],),
    "gaussian_combinator_backward": lambda x: (x[1].clone(), *x[1:4], 0b111),
    "ladder_denoising_cost": lambda x: (*x, ALL),
    "ladder_denoising_cost_backward_": lambda x: ([torch.zeros_like(t) for t in x], three(x), *x, ALL, False),
    "ladder_layer": lambda x: (*layer(x), True),
    "ladder_layer_backward": lambda x: (*results(x), *layer(x), *statistics(x), True, 0b111),
}
# The ways that are left: nothing needed, some gradients.
OTHERS: list[tuple[str, Callable[[Inputs], tuple[object, ...]]]] = [
    ("ladder_denoising_cost", lambda x: (*x, NONE)),
    ("ladder_denoising_cost", lambda x: (*x, FEW)),
    (
        "ladder_denoising_cost_backward_",
        lambda x: ([torch.zeros_like(x[1]), torch.zeros_like(x[3])], three(x), *x, FEW, True),
    ),
    ("gaussian_combinator_backward", lambda x: (x[1].clone(), *x[1:4], 0b010)),
    ("ladder_layer", lambda x: (layer(x)[0], None, None, None, False)),
    (
        "ladder_layer_backward",
        lambda x: (
            results(x)[0],
            *[None] * 3,
            layer(x)[0],
            *[None] * 3,
            *statistics(x),
            False,
            0b001,
        ),
    ),
]


@pytest.mark.parametrize("leading", [(), (3,)], ids=str)
@pytest.mark.parametrize(
    "dtypes",
    [(torch.float32, torch.float32), (torch.float64, torch.float64), (torch.bfloat16, torch.float32)],
    ids=str,
)
@pytest.mark.parametrize(
    ("name", "arguments"),
    [*ARGUMENTS.items(), *OTHERS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operators_pass_opcheck(
    name: str,
    arguments: Callable[[Inputs], tuple[object, ...]],
    dtypes: tuple[torch.dtype, torch.dtype],
    leading: tuple[int, ...],
    kernels: ek.Backend,
) -> None:
    inputs = [x.detach() for x in Case(COST, leading).inputs(dtypes=dtypes, device=device_of(kernels))]
    torch.library.opcheck(operator(kernels, name), arguments(inputs))


def test_every_operator_is_checked() -> None:
    assert set(ARGUMENTS) == set(SCHEMAS)


def test_an_unwanted_gradient_takes_no_memory(kernels: ek.Backend) -> None:
    inputs = [x.detach() for x in Case(COST).inputs(device=device_of(kernels))]
    _, complete = operator(kernels, "ladder_denoising_cost")(*inputs, ALL)
    assert [gradient.shape for gradient in complete] == [x.shape for x in inputs]
    for wanted in range(6):
        _, gradients = operator(kernels, "ladder_denoising_cost")(*inputs, 1 << wanted)
        torch.testing.assert_close(gradients, complete[wanted : wanted + 1])

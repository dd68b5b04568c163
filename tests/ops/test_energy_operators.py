"""torch.library.opcheck of every registered operator: schema, fake kernel, aliasing, dynamic shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.native.energy import DISTANCES, SCHEMAS, SHAPINGS
from ebgan_kernels.native.gradient import FAKES
from ebgan_kernels.ops.gradients import operator
from support.implementations import device_of
from support.layouts import DENSE
from support.losses import images

L2, SQUARE = DISTANCES["l2"], SHAPINGS["square"]


Arguments = Callable[[Sequence[Tensor], Tensor], tuple[object, ...]]


def _backward(i: Sequence[Tensor], one: Tensor) -> tuple[object, ...]:
    return one.new_ones(len(i[0])), *i[:2], one.new_ones(len(i[0])), L2, 0b01


def _in_place(i: Sequence[Tensor], one: Tensor) -> tuple[object, ...]:
    gradients = [torch.zeros_like(x) for x in (i[0], i[2], i[3])]
    energies = [one.new_ones(len(x)) for x in i[1::2]]
    return gradients, 3 * one, *i, 2 * one, energies, L2, SQUARE, 0b1101, False


def _in_place_of_generator(i: Sequence[Tensor], one: Tensor) -> tuple[object, ...]:
    energies, absent = [one.new_ones(len(i[3]))], (None, None, None)
    return [torch.zeros_like(i[3])], 3 * one, *i[2:], *absent, energies, L2, SQUARE, 0b10, True


ARGUMENTS: dict[str, Arguments] = {
    "reconstruction_energy": lambda i, one: (*i[:2], L2),
    "reconstruction_energy_backward": _backward,
    "hinge_margin_loss": lambda i, one: (one.expand(3), one.new_zeros(4), 5 * one, SQUARE),
    "energy_loss": lambda i, one: (*i, one, L2, SQUARE, 0b1101),
    "energy_loss_backward_": _in_place,
    "scale_gradients_": lambda i, one: ([i[0].clone(), i[2].clone()], 3 * one),
}
# The ways that are left: the loss of a generator, nothing needed.
OTHERS: list[tuple[str, Arguments]] = [
    ("energy_loss", lambda i, one: (*i[2:], None, None, None, L2, SQUARE, 0b11)),
    ("energy_loss", lambda i, one: (*i, one, L2, SQUARE, 0)),
    ("energy_loss_backward_", _in_place_of_generator),
]


@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "every_second_sample"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [*ARGUMENTS.items(), *OTHERS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operators_pass_opcheck(name: str, arguments: Arguments, layout: str, kernels: ek.Backend) -> None:
    batch = [DENSE[layout](image) for image in images(device=device_of(kernels))]
    one = torch.ones((), device=device_of(kernels))
    torch.library.opcheck(operator(kernels, name), arguments(batch, one))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [*((name, ARGUMENTS[name]) for name in ("reconstruction_energy", "energy_loss")), OTHERS[0]],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_operators_pass_opcheck_with_mixed_dtypes(
    name: str, arguments: Arguments, kernels: ek.Backend
) -> None:
    batch = images(dtypes=(torch.bfloat16, torch.float32), device=device_of(kernels))
    one = torch.ones((), device=device_of(kernels))
    torch.library.opcheck(operator(kernels, name), arguments(batch, one))


def test_every_operator_is_checked() -> None:
    assert set(ARGUMENTS) == {*SCHEMAS, *FAKES}


@pytest.mark.parametrize("filled", [False, True])
def test_a_filled_buffer_is_left_alone_where_the_incoming_gradient_is_one(
    filled: bool, kernels: ek.Backend
) -> None:
    batch = images(device=device_of(kernels))[2:]
    one = torch.ones((), device=device_of(kernels))
    gradient, target_gradient = gradients = [torch.full_like(x, 7) for x in batch]
    energy = operator(kernels, "reconstruction_energy")(*batch, L2)
    arguments = (*batch, None, None, None, [energy], L2, SQUARE, 0b11, filled)
    operator(kernels, "energy_loss_backward_")(gradients, one, *arguments)
    assert all((buffer == 7).all() == filled for buffer in gradients)
    operator(kernels, "energy_loss_backward_")(gradients, 2 * one, *arguments)
    torch.testing.assert_close(gradient, 4 * (batch[0] - batch[1]) / len(energy))  # of 2 mean E^2
    assert torch.equal(target_gradient, -gradient)


def test_an_unwanted_gradient_takes_no_memory_and_is_not_written(kernels: ek.Backend) -> None:
    batch = images(device=device_of(kernels))
    one = torch.ones((), device=device_of(kernels))
    _, (*energies, second, third) = operator(kernels, "energy_loss")(*batch, one, L2, SQUARE, 0b0110)
    assert [x.shape for x in energies] == [batch[1].shape[:1], batch[3].shape[:1]]
    assert (second.shape, third.shape) == (batch[1].shape, batch[2].shape)
    _, (_, _, *complete) = operator(kernels, "energy_loss")(*batch, one, L2, SQUARE, 0b1111)
    assert all(map(torch.equal, (second, third), complete[1:3]))

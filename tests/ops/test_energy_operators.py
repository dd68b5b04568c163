"""torch.library.opcheck of every registered operator: schema, fake kernel, aliasing, dynamic shapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.native.energy import DISTANCES, SCHEMAS, SHAPINGS
from ebgan_kernels.ops.gradients import operator
from support.implementations import device_of
from support.layouts import DENSE
from support.losses import images

L2, SQUARE = DISTANCES["l2"], SHAPINGS["square"]


def _discriminator(i: Sequence[Tensor], one: Tensor) -> tuple[object, ...]:
    return (*i, one, L2, SQUARE, True, False, True, True)


def _backward(i: Sequence[Tensor], one: Tensor) -> tuple[object, ...]:
    return one.new_ones(len(i[0])), *i[:2], one.new_ones(len(i[0])), L2, True, False


def _in_place(i: Sequence[Tensor], one: Tensor) -> tuple[object, ...]:
    gradients = torch.zeros_like(i[2]), torch.zeros_like(i[3])
    return (*gradients, 3 * one, *i[2:], one.new_ones(len(i[2])), 2 * one, L2, SQUARE, False)


ARGUMENTS: dict[str, Callable[[Sequence[Tensor], Tensor], tuple[object, ...]]] = {
    "reconstruction_energy": lambda i, one: (*i[:2], L2),
    "reconstruction_energy_backward": _backward,
    "hinge_margin_loss": lambda i, one: (one.expand(3), one.new_zeros(4), 5 * one, SQUARE),
    "discriminator_loss": _discriminator,
    "generator_loss": lambda i, one: (*i[2:], L2, SQUARE, True, True),
    "energy_loss_backward_": _in_place,
    "scale_gradients_": lambda i, one: (i[0].clone(), 3 * one),
}


@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "every_second_sample"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_operators_pass_opcheck(name: str, layout: str, kernels: ek.Backend) -> None:
    batch = [DENSE[layout](image) for image in images(device=device_of(kernels))]
    one = torch.ones((), device=device_of(kernels))
    torch.library.opcheck(operator(kernels, name), ARGUMENTS[name](batch, one))


@pytest.mark.parametrize("name", ["reconstruction_energy", "discriminator_loss", "generator_loss"])
def test_operators_pass_opcheck_with_mixed_dtypes(name: str, kernels: ek.Backend) -> None:
    batch = images(dtypes=(torch.bfloat16, torch.float32), device=device_of(kernels))
    one = torch.ones((), device=device_of(kernels))
    torch.library.opcheck(operator(kernels, name), ARGUMENTS[name](batch, one))


@pytest.mark.parametrize("filled", [False, True])
def test_a_filled_buffer_is_left_alone_where_the_incoming_gradient_is_one(
    filled: bool, kernels: ek.Backend
) -> None:
    batch = images(device=device_of(kernels))[2:]
    one = torch.ones((), device=device_of(kernels))
    gradient, target_gradient = torch.full_like(batch[0], 7), torch.full_like(batch[1], 7)
    energy = operator(kernels, "reconstruction_energy")(*batch, L2)
    arguments = (*batch, energy, None, L2, SQUARE, filled)
    operator(kernels, "energy_loss_backward_")(gradient, target_gradient, one, *arguments)
    assert (gradient == 7).all() == filled
    operator(kernels, "energy_loss_backward_")(gradient, target_gradient, 2 * one, *arguments)
    torch.testing.assert_close(gradient, 4 * (batch[0] - batch[1]) / len(energy))  # of 2 mean E^2
    assert torch.equal(target_gradient, -gradient)


def test_an_unwanted_gradient_takes_no_memory_and_is_not_written(kernels: ek.Backend) -> None:
    batch = images(device=device_of(kernels))
    one = torch.ones((), device=device_of(kernels))
    *_, real_reconstruction, real, fake_reconstruction, fake = operator(kernels, "discriminator_loss")(
        *batch, one, L2, SQUARE, False, True, True, False
    )
    assert (real_reconstruction.numel(), fake.numel()) == (0, 0)
    assert real.shape == batch[1].shape and fake_reconstruction.shape == batch[2].shape

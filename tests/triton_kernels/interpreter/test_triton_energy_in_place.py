"""The operators that write into stored gradients, and the registration of all of them."""

from __future__ import annotations

import pytest
import torch

from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.reference import energy as reference
from support.accuracy import assert_within_one_ulp
from support.losses import images
from support.needed import needed_of

L2, IDENTITY = DISTANCES["l2"], SHAPINGS["identity"]
FOUR = 0b1111
SENTINEL = -77.0


def number(value: float, device: torch.device) -> torch.Tensor:
    return torch.tensor(value, device=device)


@pytest.fixture
def pair(device: torch.device) -> list[torch.Tensor]:
    return images(sample=(70,), device=device)[2:]


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize("scale", [1.0, 0.0, -3.0])
@pytest.mark.parametrize("margin", [None, 4.0])
@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_loss_backward_scales_unless_nothing_is_to_do(
    operator, device, pair, distance, shaping, margin, scale, filled
):
    # With a margin it is the loss of a discriminator, whose second pair is under the hinge.
    given = pair if margin is None else images(sample=(70,), device=device)
    leaves = [x.requires_grad_() for x in given]
    energies = [
        reference.reconstruction_energy(*leaves[i : i + 2], distance) for i in range(0, len(leaves), 2)
    ]
    terms = [*energies[:1], *(torch.relu(margin - energy) for energy in energies[1:])]
    loss = scale * sum(reference.shaped(term, shaping).mean() for term in terms)
    expected = torch.autograd.grad(loss, leaves)
    buffers = [torch.full_like(x, SENTINEL).detach() for x in leaves]
    operator("energy_loss_backward_")(
        buffers,
        number(scale, device),
        *(x.detach() for x in leaves),
        *((None, None, None) if margin is None else (number(margin, device),)),
        [energy.detach() for energy in energies],
        DISTANCES[distance],
        SHAPINGS[shaping],
        (1 << len(leaves)) - 1,
        filled,
    )
    for buffer, gradient in zip(buffers, expected, strict=True):
        if filled and scale == 1.0:
            assert (buffer == SENTINEL).all()
        else:
            torch.testing.assert_close(buffer, gradient, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("elements", [70, 20000])
def test_loss_backward_writes_only_buffers_that_are_wanted(operator, device, elements):
    given = images(sample=(elements,), dtypes=(torch.bfloat16, torch.float32), device=device)
    one, margin = number(1.0, device), number(1000.0, device)
    _, (real, fake, *expected) = operator("energy_loss")(*given, margin, L2, IDENTITY, FOUR)
    for wanted in range(4):
        buffer = torch.empty_like(given[wanted])
        operator("energy_loss_backward_")(
            [buffer], one, *given, margin, [real, fake], L2, IDENTITY, 1 << wanted, False
        )
        assert expected[wanted].any() and torch.equal(buffer, expected[wanted])


def test_a_sample_beyond_the_margin_is_not_read(operator, device, pair):
    energies = [torch.ones(4, device=device), torch.tensor([1.0, 9.0, 9.0, 1.0], device=device)]
    poisoned = [x.clone() for x in (*pair, *pair)]
    poisoned[2][1] = poisoned[3][2] = float("nan")
    buffers = [torch.full_like(x, SENTINEL) for x in poisoned]
    margin = number(5.0, device)
    operator("energy_loss_backward_")(
        buffers, number(1.0, device), *poisoned, margin, energies, L2, IDENTITY, FOUR, False
    )
    for buffer in buffers[2:]:
        assert not buffer[1:3].any()
        assert buffer[[0, 3]].all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 0.0, -2.5])
def test_scale_gradient_scales_dense_memory_of_any_layout(operator, device, dtype, scale):
    gradient = torch.randn(2, 3, 30, 31, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    factor = torch.tensor(
        scale, device=device, dtype=torch.float64 if dtype == torch.float64 else torch.float32
    )
    gradients = [gradient, torch.randn(7, 5, device=device).to(dtype).mT]
    exacts = [each.double() * scale for each in gradients]
    operator("scale_gradients_")(gradients, factor)
    for each, exact in zip(gradients, exacts, strict=True):
        assert_within_one_ulp(each, exact)


def test_every_operator_is_registered_rightly(operator, device, pair):
    four = images(sample=(6,), device=device)
    energy = torch.rand(4, device=device)
    margin, one = number(0.5, device), number(1.0, device)
    needs = 0b1101
    samples = {
        "reconstruction_energy": (*pair, L2),
        "reconstruction_energy_backward": (energy, *pair, energy, L2, 0b01),
        "hinge_margin_loss": (energy, energy[1:], margin, IDENTITY),
        "energy_loss": (*four, margin, L2, IDENTITY, needs),
        "energy_loss_backward_": (
            [torch.empty_like(x) for x in needed_of(four, needs)],
            *(one, *four, margin, [energy[:3], energy], L2, IDENTITY, needs, False),
        ),
        "scale_gradients_": ([x.clone() for x in pair], margin),
    }
    for name, arguments in samples.items():
        torch.library.opcheck(operator(name), arguments)
    torch.library.opcheck(operator("energy_loss"), (*pair, None, None, None, L2, IDENTITY, 0b11))
    torch.library.opcheck(
        operator("energy_loss_backward_"),
        ([torch.empty_like(pair[1])], one, *pair, None, None, None, [energy], L2, IDENTITY, 0b10, True),
    )

"""The operators that write into stored gradients, and the registration of all of them."""

from __future__ import annotations

import pytest
import torch

from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.reference import energy as reference
from support.accuracy import assert_within_one_ulp
from support.losses import images

L2, IDENTITY = DISTANCES["l2"], SHAPINGS["identity"]
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
    leaves = [x.requires_grad_() for x in pair]
    energy = reference.reconstruction_energy(*leaves, distance)
    term = energy if margin is None else torch.relu(margin - energy)
    loss = scale * reference.shaped(term, shaping).mean()
    expected = torch.autograd.grad(loss, leaves)
    buffers = [torch.full_like(x, SENTINEL).detach() for x in pair]
    operator("energy_loss_backward_")(
        *buffers,
        number(scale, device),
        *(x.detach() for x in pair),
        energy.detach(),
        None if margin is None else number(margin, device),
        DISTANCES[distance],
        SHAPINGS[shaping],
        filled,
    )
    for buffer, gradient in zip(buffers, expected, strict=True):
        if filled and scale == 1.0:
            assert (buffer == SENTINEL).all()
        else:
            torch.testing.assert_close(buffer, gradient, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("elements", [70, 20000])
def test_loss_backward_writes_only_buffers_that_are_wanted(operator, device, elements):
    reconstruction, target = images(
        sample=(elements,), dtypes=(torch.bfloat16, torch.float32), device=device
    )[2:]
    _, energy, *expected = operator("generator_loss")(reconstruction, target, L2, IDENTITY, True, True)
    for wanted in (0, 1):
        buffers = [
            torch.empty_like(x) if i == wanted else x.new_empty(0)
            for i, x in enumerate((reconstruction, target))
        ]
        operator("energy_loss_backward_")(
            *buffers, number(1.0, device), reconstruction, target, energy, None, L2, IDENTITY, False
        )
        assert torch.equal(buffers[wanted], expected[wanted])


def test_a_sample_beyond_the_margin_is_not_read(operator, device, pair):
    energy = torch.tensor([1.0, 9.0, 9.0, 1.0], device=device)
    poisoned = [x.clone() for x in pair]
    poisoned[0][1] = poisoned[1][2] = float("nan")
    buffers = [torch.full_like(x, SENTINEL) for x in pair]
    operator("energy_loss_backward_")(
        *buffers, number(1.0, device), *poisoned, energy, number(5.0, device), L2, IDENTITY, False
    )
    for buffer in buffers:
        assert not buffer[1:3].any()
        assert buffer[[0, 3]].all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1.0, 0.0, -2.5])
def test_scale_gradient_scales_dense_memory_of_any_layout(operator, device, dtype, scale):
    gradient = torch.randn(2, 3, 30, 31, device=device, dtype=dtype).to(memory_format=torch.channels_last)
    factor = torch.tensor(
        scale, device=device, dtype=torch.float64 if dtype == torch.float64 else torch.float32
    )
    exact = gradient.double() * scale
    operator("scale_gradients_")(gradient, factor)
    assert_within_one_ulp(gradient, exact)


def test_every_operator_is_registered_rightly(operator, device, pair):
    four = images(sample=(6,), device=device)
    energy = torch.rand(4, device=device)
    margin, one = number(0.5, device), number(1.0, device)
    needs = [True, False, True, True]
    samples = {
        "reconstruction_energy": (*pair, L2),
        "reconstruction_energy_backward": (energy, *pair, energy, L2, True, False),
        "hinge_margin_loss": (energy, energy[1:], margin, IDENTITY),
        "discriminator_loss": (*four, margin, L2, IDENTITY, *needs),
        "generator_loss": (*pair, L2, IDENTITY, True, True),
        "energy_loss_backward_": (
            *map(torch.empty_like, pair),
            one,
            *pair,
            energy,
            margin,
            L2,
            IDENTITY,
            False,
        ),
        "scale_gradients_": (pair[0].clone(), margin),
    }
    for name, arguments in samples.items():
        torch.library.opcheck(operator(name), arguments)

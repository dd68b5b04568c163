"""Layouts, unwanted gradients, empty batches, NaN and infinity, and what must be neither read nor written."""

from __future__ import annotations

import pytest
import torch

from ebgan_kernels.checks.energy import same_layout
from ebgan_kernels.native.energy import DISTANCES, SHAPINGS
from ebgan_kernels.reference import energy as reference
from support.layouts import DENSE
from support.losses import images
from support.needed import needed_of

NOT_FINITE = [float("nan"), float("inf"), -float("inf")]
L2, IDENTITY = DISTANCES["l2"], SHAPINGS["identity"]
PAIR, FOUR = 0b11, 0b1111


@pytest.fixture
def margin(device: torch.device) -> torch.Tensor:
    return torch.tensor(8.0, device=device)


@pytest.mark.parametrize("elements", [10, 300])
def test_gradients_that_are_not_needed_are_not_made(operator, device, margin, chunks_of_256, elements):
    inputs = images(sample=(elements,), device=device)
    loss, (real, fake, *complete) = operator("energy_loss")(*inputs, margin, L2, IDENTITY, FOUR)
    assert len(complete) == 4
    for needed in range(1 << 4):
        again, results = operator("energy_loss")(*inputs, margin, L2, IDENTITY, needed)
        assert torch.equal(again, loss)
        for result, expected in zip(results, [real, fake, *needed_of(complete, needed)], strict=True):
            assert torch.equal(result, expected)


@pytest.mark.parametrize("need", [0b01, 0b10, 0b00])
def test_energy_backward_makes_what_is_needed_from_an_expanded_gradient(operator, device, need):
    reconstruction, target = images(sample=(30,), device=device)[:2]
    energy = operator("reconstruction_energy")(reconstruction, target, L2)
    weights = torch.tensor(2.0, device=device).expand(3)
    got = operator("reconstruction_energy_backward")(weights, reconstruction, target, energy, L2, need)
    expected = 2 * (reconstruction - target) / energy[:, None]
    for gradient, sign in zip(got, needed_of((1, -1), need), strict=True):
        assert gradient.allclose(sign * expected)


@pytest.mark.parametrize("layout", DENSE)
def test_dense_samples_are_read_where_they_are(operator, device, margin, layout):
    contiguous = images(sample=(3, 5, 7), device=device)
    if layout == "one_sample_expanded":
        contiguous = [x[:1].repeat(len(x), 1, 1, 1) for x in contiguous]
    inputs = [DENSE[layout](x) for x in contiguous]
    inputs = [*same_layout(*inputs[:2]), *same_layout(*inputs[2:])]
    expected, others = operator("energy_loss")(*contiguous, margin, L2, IDENTITY, FOUR)
    loss, results = operator("energy_loss")(*inputs, margin, L2, IDENTITY, FOUR)
    for value, other in zip((loss, *results), (expected, *others), strict=True):
        torch.testing.assert_close(value, other)
    for gradient, x in zip(results[2:], inputs, strict=True):
        assert gradient.stride()[1:] == x.stride()[1:]
        assert gradient.stride(0) == 3 * 5 * 7


@pytest.mark.parametrize("elements", [257, 16387])
def test_memory_between_samples_is_never_read(operator, device, margin, elements):
    inputs = images(sample=(elements,), device=device)
    apart = [x.new_full((2 * len(x) + 1, elements), float("nan"))[1::2].copy_(x) for x in inputs]
    expected, others = operator("energy_loss")(*inputs, margin, L2, IDENTITY, FOUR)
    loss, results = operator("energy_loss")(*apart, margin, L2, IDENTITY, FOUR)
    for value, other in zip((loss, *results), (expected, *others), strict=True):
        assert torch.equal(value, other)


def test_real_and_fake_samples_may_differ_in_size(operator, device, margin):
    small, large = images(sample=(100,), device=device)[:2], images(sample=(20000,), device=device)[2:]
    for inputs in ((*small, *large), (*large, *small)):
        loss, (real, fake, *gradients) = operator("energy_loss")(*inputs, margin, L2, IDENTITY, FOUR)
        expected = reference.discriminator_loss(*inputs, margin, "l2", "identity")
        for value, other in zip((loss, real, fake), expected, strict=True):
            torch.testing.assert_close(value, other)
        assert [g.shape for g in gradients] == [x.shape for x in inputs]
        assert all(g.isfinite().all() for g in gradients)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
def test_the_mean_over_an_empty_batch_is_nan(operator, device, margin):
    inputs = images(sample=(4,), device=device)
    empty = torch.empty(0, 4, device=device)
    for batches in ((empty, empty, *inputs[2:]), (*inputs[:2], empty, empty), (empty, empty, empty, empty)):
        loss, (real_energy, fake_energy, *gradients) = operator("energy_loss")(
            *batches, margin, L2, IDENTITY, FOUR
        )
        assert loss.isnan()
        assert (len(real_energy), len(fake_energy)) == (len(batches[0]), len(batches[2]))
        assert [g.shape for g in gradients] == [x.shape for x in batches]
    assert operator("reconstruction_energy")(empty, empty, L2).shape == (0,)
    loss, _ = operator("energy_loss")(empty, empty, None, None, None, L2, IDENTITY, PAIR)
    assert loss.isnan()
    assert operator("hinge_margin_loss")(empty[:, 0], empty[:, 0], margin, IDENTITY)[0].isnan()


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize("distance", DISTANCES)
def test_samples_without_elements_have_the_energy_of_an_empty_sum(operator, device, distance):
    nothing = torch.empty(2, 0, device=device)
    energy = operator("reconstruction_energy")(nothing, nothing, DISTANCES[distance])
    expected = reference.reconstruction_energy(nothing, nothing, distance)
    torch.testing.assert_close(energy, expected, equal_nan=True)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize("elements", [5, 300])
@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", ["l2", "squared_l2", "mse"])
def test_nan_and_infinity_spread_as_in_torch(
    operator, device, margin, chunks_of_256, distance, shaping, elements
):
    for value in NOT_FINITE:
        inputs = [x.requires_grad_() for x in images(sample=(elements,), device=device)]
        with torch.no_grad():
            inputs[0][1, 3] = inputs[2][2, 0] = value
        expected = reference.discriminator_loss(*inputs, margin, distance, shaping)
        expected = (*expected, *torch.autograd.grad(expected[0], inputs))
        detached = [x.detach() for x in inputs]
        options = (DISTANCES[distance], SHAPINGS[shaping])
        loss, results = operator("energy_loss")(*detached, margin, *options, FOUR)
        for mine, theirs in zip((loss, *results), expected, strict=True):
            torch.testing.assert_close(mine, theirs.detach(), equal_nan=True)


@pytest.mark.parametrize("distance", DISTANCES)
def test_ties_have_gradient_zero(operator, device, distance):
    same = torch.ones(2, 6, device=device)
    options = (DISTANCES[distance], IDENTITY)
    _, (energy, *gradients) = operator("energy_loss")(same, same, None, None, None, *options, PAIR)
    assert not energy.any()
    assert len(gradients) == 2 and not any(g.any() for g in gradients)
    at_the_margin = torch.zeros((), device=device)
    _, (_, _, *gradients) = operator("energy_loss")(*[same] * 4, at_the_margin, *options, FOUR)
    assert len(gradients) == 4 and not any(g.any() for g in gradients)


@pytest.mark.parametrize("elements", [1000, 20000])
def test_the_same_input_gives_the_same_bits(operator, device, margin, elements):
    inputs = images(sample=(elements,), device=device)
    (loss, results), (again, others) = (
        operator("energy_loss")(*inputs, margin, L2, IDENTITY, FOUR) for _ in range(2)
    )
    assert torch.equal(loss, again)
    assert len(results) == 6 and all(map(torch.equal, results, others))

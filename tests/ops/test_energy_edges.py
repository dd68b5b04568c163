"""The same as PyTorch at the edges: empty batches and samples, NaN, Inf, ties."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.energy import Distance, Shaping
from support.implementations import device_of
from support.losses import (
    CASES,
    DISTANCES,
    SHAPINGS,
    Case,
    images,
    torch_value_and_gradients,
    value_and_gradients,
)


def assert_same_as_torch(case: Case, batch: list[Tensor], margin: Tensor) -> None:
    inputs = case.inputs(batch)
    value, gradients = value_and_gradients(case, inputs, margin)
    torch_value, torch_gradients = torch_value_and_gradients(case, inputs, margin, torch.float32)
    torch.testing.assert_close([value, *gradients], [torch_value, *torch_gradients], equal_nan=True)


@pytest.mark.parametrize(("real", "fake"), [(0, 2), (2, 0), (0, 0)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_empty_batch(case: Case, real: int, fake: int, implementation: ek.Backend) -> None:
    batch = images(real=real, fake=fake, device=device_of(implementation))
    assert_same_as_torch(case, batch, torch.tensor(1.0, device=device_of(implementation)))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_samples_without_elements(case: Case, implementation: ek.Backend) -> None:
    batch = images(sample=(3, 0), device=device_of(implementation))
    assert_same_as_torch(case, batch, torch.tensor(1.0, device=device_of(implementation)))


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_nan_and_infinity_go_where_they_go_in_pytorch(
    case: Case, odd: float, implementation: ek.Backend
) -> None:
    for which in range(4):
        batch = images(device=device_of(implementation))
        margin = case.margin(batch)
        batch[which][1, 0, 2, 3] = odd
        assert_same_as_torch(case, batch, margin)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_infinity_on_both_sides_and_an_infinite_margin(case: Case, implementation: ek.Backend) -> None:
    batch = images(device=device_of(implementation))
    batch[2][0, 0, 0, 0] = batch[3][0, 0, 0, 0] = math.inf
    assert_same_as_torch(case, batch, torch.tensor(math.inf, device=device_of(implementation)))


@pytest.mark.parametrize("distance", DISTANCES)
def test_squares_of_vast_residuals_overflow_and_their_magnitudes_do_not(
    distance: Distance, implementation: ek.Backend
) -> None:
    target = torch.zeros(2, 3, device=device_of(implementation))
    reconstruction = target + torch.tensor([[1e20], [1.0]], device=target.device)
    energy = ek.reconstruction_energy(reconstruction, target, distance=distance)
    assert energy[0].isinf() if distance != "l1" else energy[0].item() == pytest.approx(3e20)
    assert energy[1].isfinite()


def test_the_second_derivative_of_l2_is_nan_at_zero_and_there_alone(implementation: ek.Backend) -> None:
    target = torch.zeros(2, 3, dtype=torch.float64, device=device_of(implementation))
    reconstruction = torch.tensor([[0.0, 0, 0], [3, 0, 4]], dtype=target.dtype, device=target.device)
    reconstruction.requires_grad_()
    energy = ek.reconstruction_energy(reconstruction, target)
    (first,) = torch.autograd.grad(energy.sum(), reconstruction, create_graph=True)
    assert first.tolist() == [[0, 0, 0], [0.6, 0, 0.8]]
    (second,) = torch.autograd.grad(first[:, 1].sum(), reconstruction)
    assert second[0].isnan().any()
    torch.testing.assert_close(second[1], target[1] + torch.tensor([0, 0.2, 0]).to(target))


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_a_perfect_reconstruction_has_a_zero_gradient(
    distance: Distance, shaping: Shaping, implementation: ek.Backend
) -> None:
    perfect = torch.ones(2, 3, device=device_of(implementation))
    for case in (Case("generator_loss", distance, shaping), Case("reconstruction_energy", distance)):
        value, gradients = value_and_gradients(case, case.inputs([perfect] * 4), 1.0)
        assert not value.any() and not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("shaping", SHAPINGS)
def test_an_energy_at_the_margin_has_a_zero_gradient(shaping: Shaping, implementation: ek.Backend) -> None:
    reconstruction = torch.tensor([[3.0, 4.0], [3.0, 3.0]], device=device_of(implementation))
    case = Case("discriminator_loss", "l2", shaping)
    inputs = case.inputs(
        [torch.zeros_like(reconstruction)] * 2 + [reconstruction, torch.zeros_like(reconstruction)]
    )
    _, (*_, gradient, _target) = value_and_gradients(case, inputs, 5.0)
    assert not gradient[0].any() and gradient[1].all()


def test_equal_elements_add_nothing_to_the_gradient_of_l1(implementation: ek.Backend) -> None:
    reconstruction = torch.tensor([[1.0, 2.0, 3.0]], device=device_of(implementation), requires_grad=True)
    ek.reconstruction_energy(
        reconstruction, torch.full_like(reconstruction, 2.0), distance="l1"
    ).sum().backward()
    assert reconstruction.grad.tolist() == [[-1.0, 0.0, 1.0]]


def test_a_float_margin_keeps_its_digits_beside_float64(implementation: ek.Backend) -> None:
    zero = torch.zeros(1, dtype=torch.float64, device=device_of(implementation))
    assert ek.hinge_margin_loss(zero, zero, 0.1).item() == 0.1

"""Gradients of gradients, and torch.func: right although kernels have no derivative of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.energy import Distance, Shaping
from support.implementations import device_of
from support.losses import CASES, DISTANCES, SHAPINGS, Case, images

DOUBLES = (torch.float64, torch.float64)


def penalty_gradients(loss: Callable[[Tensor, Tensor, Tensor], Tensor], *tensors: Tensor) -> list[Tensor]:
    """An R1 penalty: the gradients of ||d loss / d image||^2 for every tensor."""
    leaves = [x.detach().requires_grad_() for x in tensors]
    (gradient,) = torch.autograd.grad(loss(*leaves), leaves[0], create_graph=True)
    return list(torch.autograd.grad(gradient.square().sum(), leaves))


def autoencoder_loss(case: Case, margin: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """The loss of an auto-encoder's reconstructions, so that an image reaches it by two ways."""

    def loss(image: Tensor, encoder: Tensor, decoder: Tensor) -> Tensor:
        reconstruction = torch.tanh(image @ encoder) @ decoder
        if case.name == "discriminator_loss":
            return case((reconstruction, image, reconstruction.flip(0), image.flip(0).tanh()), margin)
        return case((reconstruction, image), margin).sum()

    return loss


@pytest.mark.parametrize("shaping", SHAPINGS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", ["reconstruction_energy", "discriminator_loss", "generator_loss"])
def test_a_gradient_penalty_on_an_autoencoder_equals_the_references(
    name: str, distance: Distance, shaping: Shaping, kernels: ek.Backend
) -> None:
    case = Case(name, distance, shaping)
    generator = torch.Generator().manual_seed(0)
    tensors = [
        torch.randn(shape, generator=generator, dtype=torch.float64).to(device_of(kernels))
        for shape in ((4, 6), (6, 3), (3, 6))
    ]
    loss = autoencoder_loss(case, torch.tensor(3.0, device=device_of(kernels)))
    ours = penalty_gradients(loss, *tensors)
    with ek.backend("reference"):
        expected = penalty_gradients(loss, *tensors)
    torch.testing.assert_close(ours, expected)


def test_a_tensor_given_twice_counts_twice_and_not_four_times(implementation: ek.Backend) -> None:
    image = images(dtypes=DOUBLES, device=device_of(implementation))[0].requires_grad_()
    zero = torch.zeros_like(image)
    loss = ek.discriminator_loss(image, zero, image, zero, margin=0.0, distance="squared_l2").loss
    (gradient,) = torch.autograd.grad(loss, image, create_graph=True)
    torch.testing.assert_close(gradient, 2 * image / len(image))


def test_a_penalty_after_an_ordinary_backward_of_the_same_graph(implementation: ek.Backend) -> None:
    case, batch = Case("discriminator_loss"), images(dtypes=DOUBLES, device=device_of(implementation))
    inputs, margin = case.inputs(batch), case.margin(batch)
    loss = case(inputs, margin)
    first = torch.autograd.grad(loss, inputs, retain_graph=True)
    recorded = torch.autograd.grad(loss, inputs, create_graph=True)
    again = torch.autograd.grad(loss, inputs, retain_graph=True)
    torch.testing.assert_close(recorded, first)
    torch.testing.assert_close(again, first)
    assert all(gradient.requires_grad for gradient in recorded)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch_func_grad_equals_autograd(case: Case, implementation: ek.Backend) -> None:
    batch = images(dtypes=DOUBLES, device=device_of(implementation))
    inputs, margin = case.inputs(batch), case.margin(batch)
    expected = torch.autograd.grad(case(inputs, margin).sum(), inputs)
    every = tuple(range(len(inputs)))
    functional = torch.func.grad(lambda *x: case(x, margin).sum(), argnums=every)(
        *[x.detach() for x in inputs]
    )
    torch.testing.assert_close(functional, expected)


def test_vmap_over_sets_of_batches_equals_a_loop(implementation: ek.Backend) -> None:
    batches = [images(seed, device=device_of(implementation)) for seed in range(3)]
    sets = [torch.stack(tensors) for tensors in zip(*batches, strict=True)]
    together = torch.func.vmap(lambda *x: ek.discriminator_loss(*x, margin=5.0).loss)(*sets)
    one_by_one = [ek.discriminator_loss(*x, margin=5.0).loss for x in batches]
    torch.testing.assert_close(together, torch.stack(one_by_one))


def test_forward_mode_and_hessian_vector_products_equal_the_references(implementation: ek.Backend) -> None:
    fake_reconstruction, fake = images(dtypes=DOUBLES, device=device_of(implementation))[2:]

    def loss(x: Tensor) -> Tensor:
        return ek.generator_loss(x, fake, shaping="square")  # mean ||x - fake||^2, whose Hessian is 2 / N

    direction = torch.ones_like(fake)
    _, product = torch.func.jvp(torch.func.grad(loss), (fake_reconstruction,), (direction,))
    torch.testing.assert_close(product, 2 * direction / len(fake))

"""First and second derivatives, and torch.func: right although kernels have no derivative of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.implementations import device_of, interpreted
from support.ladder import CASES, COMBINATOR, COST, FUNCTIONS, Case, incoming

DOUBLES = (torch.float64, torch.float64)


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize("case", [Case(COST), Case(COST, (2,)), Case(COMBINATOR)], ids=str)
def test_derivatives_equal_finite_differences(
    case: Case, check: Callable[..., bool], implementation: ek.Backend
) -> None:
    inputs = case.inputs(rows=3, units=2, dtypes=DOUBLES, device=device_of(implementation))
    # A first backward scales what the forward has written, a second computes again: the roundings differ for
    # incoming gradients other than 0 and 1, which fast mode has.
    fast = interpreted(implementation)
    assert check(lambda *x: case(x), inputs, fast_mode=fast, nondet_tol=1e-12 if fast else 0.0)


def penalty_gradients(case: Case, inputs: list[Tensor]) -> tuple[Tensor, ...]:
    """The gradients of an R1 penalty, || d result / d z ||^2, for every input."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    z = leaves[0 if case.name == COMBINATOR else 1]
    result = case(leaves)
    (gradient,) = torch.autograd.grad(result, z, incoming(result), create_graph=True)
    return torch.autograd.grad(gradient.square().sum(), leaves, allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_gradient_penalty_equals_the_references(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(dtypes=DOUBLES, device=device_of(kernels))
    ours = penalty_gradients(case, inputs)
    with ek.backend("reference"):
        torch.testing.assert_close(ours, penalty_gradients(case, inputs))
    assert any(gradient.any() for gradient in ours)


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_a_penalty_after_an_ordinary_backward_of_the_same_graph(
    case: Case, implementation: ek.Backend
) -> None:
    inputs = case.inputs(dtypes=DOUBLES, device=device_of(implementation))
    result = case(inputs)
    weights = incoming(result)
    first = torch.autograd.grad(result, inputs, weights, retain_graph=True)
    recorded = torch.autograd.grad(result, inputs, weights, create_graph=True)
    again = torch.autograd.grad(result, inputs, weights)
    torch.testing.assert_close(recorded, first)
    torch.testing.assert_close(again, first)


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_tensor_given_twice_counts_twice_and_not_four_times(
    create_graph: bool, implementation: ek.Backend
) -> None:
    x = torch.randn(3, 4, dtype=torch.float64, device=device_of(implementation), requires_grad=True)
    zero, one = x.new_zeros(4), x.new_ones(4)
    parameters = x.new_zeros(10, 4).index_fill(0, torch.tensor(9, device=x.device), 3.0)
    cost = ek.ladder_denoising_cost(x, x, x, parameters, zero, one)  # mean (x - 3 x)^2
    (gradient,) = torch.autograd.grad(cost, x, create_graph=create_graph)
    torch.testing.assert_close(gradient, 8 * x / x.numel())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch_func_grad_equals_autograd(case: Case, implementation: ek.Backend) -> None:
    inputs = case.inputs(dtypes=DOUBLES, device=device_of(implementation))
    expected = torch.autograd.grad(case(inputs).sum(), inputs)
    every = tuple(range(len(inputs)))
    functional = torch.func.grad(lambda *x: case(x).sum(), argnums=every)(*[x.detach() for x in inputs])
    torch.testing.assert_close(functional, expected)


@pytest.mark.parametrize("name", [COST, COMBINATOR])
def test_vmap_over_networks_equals_leading_axes(name: str, implementation: ek.Backend) -> None:
    inputs = [x.detach() for x in Case(name, (3,)).inputs(device=device_of(implementation))]
    torch.testing.assert_close(torch.func.vmap(lambda *x: Case(name)(x))(*inputs), Case(name)(inputs))

"""First and second derivatives, and torch.func: right although kernels have no derivative of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.gdl import CASES, FUNCTIONS, Case
from support.implementations import device_of, interpreted

DOUBLES = (torch.float64, torch.float64)


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_derivatives_equal_finite_differences(
    case: Case, check: Callable[..., bool], implementation: ek.Backend
) -> None:
    inputs = case.inputs(
        leading=(2,) if case.reduction == "none" else (),
        size=(4, 6) if case.name == "multiscale_prediction_loss" else (2, 3),
        dtypes=DOUBLES,
        device=device_of(implementation),
        grid=False,
    )
    assert check(lambda *x: case(x), inputs, fast_mode=interpreted(implementation))


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
def test_derivatives_of_the_pyramid_equal_finite_differences(
    check: Callable[..., bool], implementation: ek.Backend
) -> None:
    x = torch.randn(2, 4, 8, dtype=torch.float64, device=device_of(implementation), requires_grad=True)
    fast = interpreted(implementation)
    assert check(lambda x: [level.square() for level in ek.average_pyramid(x, 3)], (x,), fast_mode=fast)
    assert check(lambda x: ek.average_pyramid(x, 3)[1].sin(), (x,), fast_mode=fast)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_a_pyramid_and_its_gradient_are_rounded_once(dtype: torch.dtype, implementation: ek.Backend) -> None:
    x = torch.randn(2, 3, 16, 24).to(device_of(implementation), dtype).requires_grad_()
    exact = x.detach().double().requires_grad_()
    found = ek.average_pyramid(x, 4)
    assert found[-1] is x
    with ek.backend("reference"):
        expected = ek.average_pyramid(exact, 4)
    weights = [torch.randn_like(level) for level in found]
    (gradient,) = torch.autograd.grad(found[:-1], x, weights[:-1])
    (wanted,) = torch.autograd.grad(expected[:-1], exact, [weight.double() for weight in weights[:-1]])
    for ours, true in (*zip(found, expected, strict=True), (gradient, wanted)):
        assert ours.dtype == dtype
        eps = torch.finfo(dtype).eps
        torch.testing.assert_close(ours.double(), true, rtol=eps, atol=1e-6)


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_a_gradient_is_the_same_whichever_others_are_asked_for(
    case: Case, implementation: ek.Backend
) -> None:
    inputs = case.inputs(device=device_of(implementation))
    of_all = torch.autograd.grad(case(inputs), inputs)
    for needed in range(len(inputs)):
        alone = [x.detach().requires_grad_(i == needed) for i, x in enumerate(inputs)]
        case(alone).backward()
        for i, x in enumerate(alone):
            if i == needed:
                # Terms that cancel leave nothing in one order, and a rounding of their size in another.
                rounding = 1e-6 * of_all[i].abs().max().item()
                torch.testing.assert_close(x.grad, of_all[i], rtol=1e-6, atol=rounding)
            else:
                assert x.grad is None


def test_losses_of_constants_need_no_backward(implementation: ek.Backend) -> None:
    for case in FUNCTIONS:
        inputs = [x.detach() for x in case.inputs(device=device_of(implementation))]
        assert not case(inputs).requires_grad


def penalty_gradients(case: Case, inputs: list[Tensor]) -> list[Tensor]:
    """The gradients of an R1 penalty, || d loss / d prediction ||^2, for every input."""
    leaves = [x.detach().requires_grad_() for x in inputs]
    (gradient,) = torch.autograd.grad(case([x.tanh() for x in leaves]).sum(), leaves[0], create_graph=True)
    return list(torch.autograd.grad(gradient.square().sum(), leaves, allow_unused=True))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_gradient_penalty_equals_the_references(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(dtypes=DOUBLES, device=device_of(kernels), grid=False)
    ours = penalty_gradients(case, inputs)
    with ek.backend("reference"):
        expected = penalty_gradients(case, inputs)
    zero = [torch.zeros_like(x) for x in inputs]
    torch.testing.assert_close(
        [z if g is None else g for g, z in zip(ours, zero, strict=True)],
        [z if g is None else g for g, z in zip(expected, zero, strict=True)],
    )


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_a_penalty_after_an_ordinary_backward_of_the_same_graph(
    case: Case, implementation: ek.Backend
) -> None:
    inputs = case.inputs(dtypes=DOUBLES, device=device_of(implementation))
    loss = case(inputs)
    first = torch.autograd.grad(loss, inputs, retain_graph=True)
    recorded = torch.autograd.grad(loss, inputs, create_graph=True)
    again = torch.autograd.grad(loss, inputs)
    torch.testing.assert_close(recorded, first)
    torch.testing.assert_close(again, first)


def test_a_tensor_given_twice_counts_twice_and_not_four_times(implementation: ek.Backend) -> None:
    x = Case().inputs(dtypes=DOUBLES, device=device_of(implementation))[0]
    loss = ek.prediction_loss(x, 3 * x, p=2, gdl_weight=0.0)  # mean (2 x)^2
    (gradient,) = torch.autograd.grad(loss, x, create_graph=True)
    torch.testing.assert_close(gradient, 8 * x / x.numel())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch_func_grad_equals_autograd(case: Case, implementation: ek.Backend) -> None:
    inputs = case.inputs(dtypes=DOUBLES, device=device_of(implementation))
    expected = torch.autograd.grad(case(inputs).sum(), inputs)
    every = tuple(range(len(inputs)))
    functional = torch.func.grad(lambda *x: case(x).sum(), argnums=every)(*[x.detach() for x in inputs])
    torch.testing.assert_close(functional, expected)


def test_vmap_over_sets_of_batches_equals_a_loop(implementation: ek.Backend) -> None:
    for case in FUNCTIONS:
        batches = [[x.detach() for x in case.inputs(s, device=device_of(implementation))] for s in range(3)]
        together = torch.func.vmap(lambda *x: case(x))(*map(torch.stack, zip(*batches, strict=True)))  # noqa: B023
        torch.testing.assert_close(together, torch.stack([case(x) for x in batches]))
    x = torch.randn(3, 2, 8, 8, device=device_of(implementation))
    coarse = torch.func.vmap(lambda x: ek.average_pyramid(x, 2)[0])(x)
    torch.testing.assert_close(coarse, ek.average_pyramid(x, 2)[0])

"""Derivatives of the pulling-away term to second order, torch.func, torch.compile, autocast, opcheck."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import ebgan_kernels as ek
from ebgan_kernels.ops.gradients import operator
from support.implementations import device_of, interpreted
from support.pulling_away import codes as codes_of
from support.pulling_away import exact_loss_and_weights, gram_of

SHAPES = [(4, 6), (6, 3)]  # N <= d and N > d


def random_codes(
    shape: tuple[int, ...], implementation: ek.Backend, dtype: torch.dtype = torch.float64
) -> Tensor:
    return torch.randn(shape, dtype=dtype).to(device_of(implementation)).requires_grad_()


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives_equal_finite_differences(
    shape: tuple[int, int], check: Callable[..., bool], implementation: ek.Backend
) -> None:
    assert check(ek.pulling_away, random_codes(shape, implementation), fast_mode=interpreted(implementation))


@pytest.mark.parametrize("shape", SHAPES)
def test_three_times_then_five_times_the_term_through_one_graph(
    shape: tuple[int, int], implementation: ek.Backend
) -> None:
    codes = random_codes(shape, implementation)
    (gradient,) = torch.autograd.grad(ek.pulling_away(codes), codes)
    loss = ek.pulling_away(codes)
    for factor, total in ((3, 3), (5, 8)):
        (factor * loss).backward(retain_graph=True)
        torch.testing.assert_close(codes.grad, total * gradient)


@pytest.mark.parametrize("shape", SHAPES)
def test_torch_func_and_vmap_equal_autograd(shape: tuple[int, int], implementation: ek.Backend) -> None:
    codes = random_codes((3, *shape), implementation)
    expected = [torch.autograd.grad(ek.pulling_away(one), one)[0] for one in codes.unbind()]
    together = torch.func.vmap(torch.func.grad(ek.pulling_away))(codes.detach())
    torch.testing.assert_close(together, torch.stack(expected))


@pytest.mark.parametrize("inductor", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_compiled_forward_and_backward_equal_eager(
    shape: tuple[int, int], inductor: bool, implementation: ek.Backend
) -> None:
    torch._dynamo.reset()
    codes = random_codes(shape, implementation, torch.float32)
    compiled = torch.compile(ek.pulling_away, fullgraph=True, backend="inductor" if inductor else "aot_eager")
    loss, expected = compiled(codes), ek.pulling_away(codes)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(3 * loss, codes), torch.autograd.grad(3 * expected, codes))


def test_a_new_batch_size_compiles_once_more_for_all_sizes(implementation: ek.Backend) -> None:
    torch._dynamo.reset()
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(ek.pulling_away, fullgraph=True, backend=counter)
    for rows in (4, 5, 6, 7):
        codes = random_codes((rows, 9), implementation, torch.float32)
        torch.testing.assert_close(compiled(codes), ek.pulling_away(codes))
    assert counter.frame_count == 2


@pytest.mark.parametrize("shape", [(4, 4096), (512, 16)])
def test_autocast_does_not_reach_the_products(shape: tuple[int, int], implementation: ek.Backend) -> None:
    codes = random_codes(shape, implementation, torch.float32)
    expected = ek.pulling_away(codes)
    (gradient,) = torch.autograd.grad(expected, codes)
    with torch.autocast(codes.device.type, torch.bfloat16):
        loss = ek.pulling_away(codes)
    assert loss.dtype == torch.float32 and torch.equal(loss, expected)
    assert torch.equal(*torch.autograd.grad(loss, codes), gradient)


@pytest.mark.parametrize("shape", [(4, 4096), (512, 16)])
def test_a_backward_pass_under_autocast_stays_in_float32_too(
    shape: tuple[int, int], kernels: ek.Backend
) -> None:
    codes = random_codes(shape, kernels, torch.float32)
    loss = ek.pulling_away(codes)
    (gradient,) = torch.autograd.grad(loss, codes, retain_graph=True)
    with torch.autocast(codes.device.type, torch.bfloat16):
        (under_autocast,) = torch.autograd.grad(loss, codes)
    assert torch.equal(under_autocast, gradient)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("need_weights", [False, True])
def test_the_operator_passes_opcheck(need_weights: bool, dtype: torch.dtype, kernels: ek.Backend) -> None:
    gram = gram_of(codes_of(9, dtype=dtype, device=device_of(kernels)))
    torch.library.opcheck(operator(kernels, "pulling_away_weights"), (gram, need_weights))


@pytest.mark.parametrize("rows", [2, 9, 300])
def test_the_operators_weights_are_those_of_the_definition(rows: int, kernels: ek.Backend) -> None:
    gram = gram_of(codes_of(rows, device=device_of(kernels)))
    loss, weights = operator(kernels, "pulling_away_weights")(gram, True)
    exact_loss, exact_weights = exact_loss_and_weights(gram)
    torch.testing.assert_close(loss.double(), exact_loss, rtol=3e-6, atol=0)
    torch.testing.assert_close(weights.double(), exact_weights, rtol=3e-6, atol=0)


@pytest.mark.parametrize("weight", [0.0, 0.1, 2])
def test_the_generators_loss_adds_the_weighted_term(weight: float, implementation: ek.Backend) -> None:
    codes = random_codes((4, 6), implementation, torch.float32)
    fake = torch.ones(4, 3, device=codes.device)
    energy = ek.generator_loss(fake - 0.5, fake)
    loss = ek.generator_loss(fake - 0.5, fake, codes=codes, pulling_away_weight=weight)
    torch.testing.assert_close(loss, energy + weight * ek.pulling_away(codes))
    (gradient,) = torch.autograd.grad(ek.pulling_away(codes), codes)
    torch.testing.assert_close(*torch.autograd.grad(loss, codes), weight * gradient)


def test_modules_equal_functions(implementation: ek.Backend) -> None:
    codes = random_codes((4, 6), implementation, torch.float32)
    fake = torch.ones(4, 3, device=codes.device)
    assert torch.equal(ek.PullingAwayLoss()(codes), ek.pulling_away(codes))
    module = ek.EBGANGeneratorLoss("l1", "square", pulling_away_weight=0.5)
    options = {"distance": "l1", "shaping": "square"}
    assert torch.equal(module(fake - 0.5, fake), ek.generator_loss(fake - 0.5, fake, **options))
    assert torch.equal(
        module(fake - 0.5, fake, codes),
        ek.generator_loss(fake - 0.5, fake, codes=codes, pulling_away_weight=0.5, **options),
    )

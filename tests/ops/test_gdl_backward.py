"""Gradients are written in the forward pass, handed out once, and computed again for a retained graph."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from support.accuracy import assert_within_one_ulp
from support.gdl import FUNCTIONS, Case, torch_value_and_gradients
from support.implementations import OperatorLog, device_of, is_one_on_the_cpu

ALL = [*FUNCTIONS, Case(reduction="none"), Case(p=2, alpha=2.0, spatial_dims=3)]
SCALE = "ebgan_kernels.scale_gradients_"


def with_constant_target(case: Case, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """The usual step; with gradients of the target, the multi-scale loss is made of several operators."""
    return [*inputs[:-1], inputs[-1].detach()]


def operator_of(case: Case) -> str:
    multiscale = case.name == "multiscale_prediction_loss"
    return "multiscale_prediction_loss" if multiscale else "prediction_loss"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("case", ALL, ids=str)
def test_three_times_then_five_times_the_loss_through_one_graph(
    case: Case, dtype: torch.dtype, implementation: ek.Backend
) -> None:
    inputs = case.inputs(dtypes=(dtype, dtype), device=device_of(implementation))
    for arguments in (inputs, with_constant_target(case, inputs)):
        leaves = [x for x in arguments if x.requires_grad]
        _, exact = torch_value_and_gradients(case, arguments, torch.float64)
        loss = case(arguments).sum()
        for x in leaves:
            x.grad = None
        for factor, total in ((3, 3), (5, 8)):
            (factor * loss).backward(retain_graph=True)
            for x, gradient in zip(leaves, exact, strict=True):
                # The sum of two gradients in .grad is rounded once more.
                precision = 2 * torch.finfo(dtype).eps + 1e-6
                torch.testing.assert_close(x.grad.double(), total * gradient, rtol=precision, atol=1e-7)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_a_scaled_half_gradient_is_rounded_once(
    case: Case, dtype: torch.dtype, implementation: ek.Backend
) -> None:
    inputs = case.inputs(size=(64, 64), dtypes=(dtype, dtype), device=device_of(implementation))
    arguments = with_constant_target(case, inputs)
    _, exact = torch_value_and_gradients(case, arguments, torch.float64)
    # A gradient scaler's 2^12 over 3 accumulation steps; before it the gradients of float16 are subnormal.
    scale = 2**12 / 3
    for gradient, true in zip(
        torch.autograd.grad(scale * case(arguments), arguments[:-1]), exact, strict=True
    ):
        whole = true.abs() > 1e-4 * true.abs().max()
        assert gradient.dtype == dtype
        assert_within_one_ulp(gradient[whole], torch.tensor(scale).double().item() * true[whole])


@pytest.mark.parametrize("factor", [1.0, 3.0])
@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_the_first_backward_only_scales_what_the_forward_has_written(
    case: Case, factor: float, kernels: ek.Backend
) -> None:
    arguments = with_constant_target(case, case.inputs(device=device_of(kernels)))
    loss, factor = case(arguments), torch.tensor(factor, device=device_of(kernels))
    with OperatorLog() as log:
        loss.backward(factor)
    ours = [name for name in log.names if name.startswith("ebgan_kernels")]
    assert ours == ([] if is_one_on_the_cpu(factor) else [SCALE])
    assert not {"aten.clone", "aten.copy_", "aten._to_copy", "aten.contiguous"} & set(log.names)


@pytest.mark.parametrize("case", FUNCTIONS[:2], ids=str)
def test_the_operators_own_buffers_become_grad(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(kernels))
    with OperatorLog() as log:
        (3 * case(inputs)).backward()
    _loss, gradients = log.results_of(operator_of(case))
    assert [x.grad.data_ptr() for x in inputs] == [address for address, _elements in gradients]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_gradients_of_several_scales_become_grad_without_a_copy(
    dtype: torch.dtype, kernels: ek.Backend
) -> None:
    case = FUNCTIONS[2]
    arguments = with_constant_target(case, case.inputs(dtypes=(dtype, dtype), device=device_of(kernels)))
    with OperatorLog() as log:
        case(arguments).backward()
    assert not {"aten.clone", "aten.copy_", "aten._to_copy", "aten.contiguous"} & set(log.names), log.names


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_the_second_backward_computes_again_and_accumulates(case: Case, kernels: ek.Backend) -> None:
    arguments = with_constant_target(case, case.inputs(device=device_of(kernels)))
    loss = case(arguments)
    loss.backward(retain_graph=True)
    first = [x.grad.clone() for x in arguments[:-1]]
    with OperatorLog() as log:
        loss.backward()
    again = f"ebgan_kernels.{operator_of(case)}_backward_"
    assert log.names.count(again) == 1 and SCALE not in log.names
    for x, gradient in zip(arguments, first, strict=False):
        torch.testing.assert_close(x.grad, 2 * gradient)


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_no_gradient_is_written_where_none_is_needed(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(kernels))
    with torch.no_grad(), OperatorLog() as log:
        loss = case(inputs)
    assert not loss.requires_grad
    _loss, gradients = log.results_of(operator_of(case))
    assert not gradients


def test_an_image_changed_after_the_forward_pass_is_noticed_where_it_would_matter(
    kernels: ek.Backend,
) -> None:
    inputs = Case().inputs(device=device_of(kernels))
    (before,) = torch.autograd.grad(Case()(inputs), inputs[:1])
    loss = Case()(inputs)
    with torch.no_grad():
        inputs[0].mul_(-2)
    # The first backward pass hands out what the forward pass computed; a second one computes again.
    (after,) = torch.autograd.grad(loss, inputs[:1], retain_graph=True)
    assert torch.equal(after, before)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_an_expanded_incoming_gradient_and_a_strided_one_give_the_same_result(
    implementation: ek.Backend,
) -> None:
    case = Case(reduction="none")
    inputs = case.inputs(device=device_of(implementation))
    losses = case(inputs)
    weights = torch.tensor([[2.0, 9.0]] * 2, device=losses.device)[:, 0]
    strided = torch.autograd.grad(losses, inputs, weights, retain_graph=True)
    expanded = torch.autograd.grad(losses, inputs, weights[:1].expand(2))
    assert all(map(torch.equal, strided, expanded))

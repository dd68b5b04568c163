"""Gradients are written in the forward pass, handed out once, and computed again for a retained graph."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from support.accuracy import assert_within_one_ulp
from support.implementations import OperatorLog, device_of, is_one_on_the_cpu
from support.losses import FUNCTIONS, Case, images, torch_value_and_gradients

SCALAR_LOSSES = [Case("discriminator_loss"), Case("generator_loss", "mse", "square")]
SCALE, AGAIN = "ebgan_kernels.scale_gradients_", "ebgan_kernels.energy_loss_backward_"
OPERATOR = "energy_loss"  # of both losses


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_three_times_then_five_times_the_loss_through_one_graph(
    case: Case, dtype: torch.dtype, implementation: ek.Backend
) -> None:
    batch = images(dtypes=(dtype, dtype), device=device_of(implementation))
    inputs, margin = case.inputs(batch), case.margin(batch)
    _, exact = torch_value_and_gradients(case, inputs, margin, torch.float64)
    loss = case(inputs, margin).sum()
    for factor, total in ((3, 3), (5, 8)):
        (factor * loss).backward(retain_graph=True)
        for x, gradient in zip(inputs, exact, strict=True):
            # The sum of two gradients in .grad is rounded once more.
            torch.testing.assert_close(
                x.grad.double(), total * gradient, rtol=2 * torch.finfo(dtype).eps + 1e-6, atol=0
            )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("case", SCALAR_LOSSES, ids=str)
def test_a_scaled_half_gradient_is_rounded_once(
    case: Case, dtype: torch.dtype, implementation: ek.Backend
) -> None:
    batch = images(sample=(3, 64, 64), dtypes=(dtype, dtype), device=device_of(implementation))
    inputs, margin = case.inputs(batch), case.margin(batch)
    _, exact = torch_value_and_gradients(case, inputs, margin, torch.float64)
    # A gradient scaler's 2^12 over 3 accumulation steps; before it the gradients of mse are subnormal.
    scale = 2**12 / 3
    for x, gradient, exact_gradient in zip(
        inputs, torch.autograd.grad(scale * case(inputs, margin), inputs), exact, strict=True
    ):
        assert gradient.dtype == x.dtype
        assert_within_one_ulp(gradient, torch.tensor(scale).double().item() * exact_gradient)


@pytest.mark.parametrize("factor", [1.0, 3.0])
@pytest.mark.parametrize("case", SCALAR_LOSSES, ids=str)
def test_the_first_backward_only_scales_what_the_forward_has_written(
    case: Case, factor: float, kernels: ek.Backend
) -> None:
    batch = images(device=device_of(kernels))
    inputs, margin = case.inputs(batch), case.margin(batch)
    loss, factor = case(inputs, margin), torch.tensor(factor, device=device_of(kernels))
    with OperatorLog() as log:
        loss.backward(factor)
    ours = [name for name in log.names if name.startswith("ebgan_kernels")]
    assert ours == ([] if is_one_on_the_cpu(factor) else [SCALE])
    assert not {"aten.clone", "aten.copy_", "aten._to_copy", "aten.contiguous"} & set(log.names)


@pytest.mark.parametrize("case", SCALAR_LOSSES, ids=str)
def test_the_operators_own_buffers_become_grad(case: Case, kernels: ek.Backend) -> None:
    batch = images(device=device_of(kernels))
    inputs, margin = case.inputs(batch), case.margin(batch)
    with OperatorLog() as log:
        (3 * case(inputs, margin)).backward()
    _loss, results = log.results_of(OPERATOR)
    gradients = results[len(inputs) // 2 :]  # behind the energies of each pair
    assert [x.grad.data_ptr() for x in inputs] == [address for address, _elements in gradients]


@pytest.mark.parametrize("case", SCALAR_LOSSES, ids=str)
def test_the_second_backward_computes_again_and_accumulates(case: Case, kernels: ek.Backend) -> None:
    batch = images(device=device_of(kernels))
    inputs, margin = case.inputs(batch), case.margin(batch)
    loss = case(inputs, margin)
    loss.backward(retain_graph=True)
    first = [x.grad.clone() for x in inputs]
    with OperatorLog() as log:
        loss.backward()
    assert log.names.count(AGAIN) == 1 and SCALE not in log.names
    for x, gradient in zip(inputs, first, strict=True):
        torch.testing.assert_close(x.grad, 2 * gradient)


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_gradients_add_to_what_is_in_grad(case: Case, implementation: ek.Backend) -> None:
    batch = images(device=device_of(implementation))
    inputs, margin = case.inputs(batch), case.margin(batch)
    gradients = torch.autograd.grad(case(inputs, margin).sum(), inputs)
    for x in inputs:
        x.grad = torch.ones_like(x)
    case(inputs, margin).sum().backward()
    for x, gradient in zip(inputs, gradients, strict=True):
        torch.testing.assert_close(x.grad, 1 + gradient)


@pytest.mark.parametrize("case", SCALAR_LOSSES, ids=str)
def test_no_gradient_is_written_where_none_is_needed(case: Case, kernels: ek.Backend) -> None:
    batch = images(device=device_of(kernels))
    inputs, margin = case.inputs(batch), case.margin(batch)
    with torch.no_grad(), OperatorLog() as log:
        loss = case(inputs, margin)
    assert not loss.requires_grad
    _loss, results = log.results_of(OPERATOR)
    assert len(results) == len(inputs) // 2  # the energies of each pair


def test_an_image_changed_after_the_forward_pass_is_noticed_where_it_would_matter(
    kernels: ek.Backend,
) -> None:
    case, batch = Case("discriminator_loss"), images(device=device_of(kernels))
    inputs = case.inputs(batch)
    loss = case(inputs, case.margin(batch))
    (before,) = torch.autograd.grad(case(inputs, case.margin(batch)), inputs[:1])
    with torch.no_grad():
        inputs[0].add_(1)
    # The first backward pass hands out what the forward pass computed; a second one computes again.
    (after,) = torch.autograd.grad(loss, inputs[:1], retain_graph=True)
    assert torch.equal(after, before)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_a_second_backward_without_a_retained_graph_is_an_error(implementation: ek.Backend) -> None:
    case, batch = Case("generator_loss"), images(device=device_of(implementation))
    loss = case(case.inputs(batch), case.margin(batch))
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()

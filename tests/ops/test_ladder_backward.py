"""The cost's gradients are written in its forward pass, and handed out once; the combinator saves inputs."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from ebgan_kernels.ops.gradients import operator
from support.accuracy import error_in_ulp
from support.implementations import OperatorLog, device_of, is_one_on_the_cpu
from support.ladder import CASES, COMBINATOR, COST, FUNCTIONS, Case, incoming, torch_value_and_gradients

COSTS = [case for case in CASES if case.name == COST]
SCALE, AGAIN = "ebgan_kernels.scale_gradients_", "ebgan_kernels.ladder_denoising_cost_backward_"


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_three_times_then_five_times_the_result_through_one_graph(
    case: Case, dtype: torch.dtype, implementation: ek.Backend
) -> None:
    inputs = case.inputs(dtypes=(dtype, dtype), device=device_of(implementation))
    _, exact = torch_value_and_gradients(case, inputs, torch.float64)
    result = case(inputs)
    for factor, total in ((3, 3), (5, 8)):
        result.backward(factor * incoming(result), retain_graph=True)
        for x, gradient in zip(inputs, exact, strict=True):
            # The sum of two gradients in .grad is rounded once more.
            largest = gradient.abs().max().item()
            precision = 2 * torch.finfo(dtype).eps + 2e-6
            torch.testing.assert_close(
                x.grad.double(), total * gradient, rtol=precision, atol=precision * largest
            )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_scaled_half_gradient_is_rounded_once(dtype: torch.dtype, implementation: ek.Backend) -> None:
    inputs = Case().inputs(rows=64, units=100, dtypes=(dtype, dtype), device=device_of(implementation))
    _, exact = torch_value_and_gradients(Case(), inputs, torch.float64)
    # A gradient scaler's 2^12 over 3 accumulation steps, where incoming() of a 0-d cost is -1/2; before it
    # the gradients of float16 are subnormal.
    scale = 2**12 / 3
    for gradient, true in zip(torch.autograd.grad(scale * Case()(inputs), inputs), exact, strict=True):
        whole = true.abs() > 1e-2 * true.abs().max()
        assert gradient.dtype == dtype
        wanted = torch.tensor(scale).double().item() * -2 * true[whole]
        assert error_in_ulp(gradient[whole], wanted).max() <= 1


@pytest.mark.parametrize("case", COSTS, ids=str)
def test_the_first_backward_only_scales_what_the_forward_has_written(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(kernels))
    for factor in (1.0, 3.0):
        cost = case(inputs)
        gradient = torch.full((), factor, device=cost.device).expand_as(cost)
        with OperatorLog() as log:
            cost.backward(gradient)
        ours = [name for name in log.names if name.startswith("ebgan_kernels")]
        assert ours == ([] if is_one_on_the_cpu(gradient) else [SCALE])
        assert not {"aten.clone", "aten.copy_", "aten._to_copy", "aten.contiguous"} & set(log.names)
        for x in inputs:
            x.grad = None


@pytest.mark.parametrize("case", COSTS, ids=str)
def test_the_operators_own_buffers_become_grad(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(kernels))
    with OperatorLog() as log:
        cost = case(inputs)
        cost.backward(incoming(cost))
    _outputs, gradients = log.results_of(COST)
    assert [x.grad.data_ptr() for x in inputs] == [address for address, _elements in gradients]


@pytest.mark.parametrize("case", COSTS, ids=str)
def test_the_second_backward_computes_again_and_accumulates(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(kernels))
    cost = case(inputs)
    cost.backward(incoming(cost), retain_graph=True)
    first = [x.grad.clone() for x in inputs]
    with OperatorLog() as log:
        cost.backward(incoming(cost))
    assert log.names.count(AGAIN) == 1 and SCALE not in log.names
    for x, gradient in zip(inputs, first, strict=True):
        torch.testing.assert_close(x.grad, 2 * gradient)


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_no_gradient_is_written_where_none_is_needed(case: Case, kernels: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(kernels))
    with torch.no_grad(), OperatorLog() as log:
        result = case(inputs)
    assert not result.requires_grad
    results = log.results_of(case.name)
    if case.name == COST:
        _, gradients = results
        assert not gradients
    else:
        assert results == (result.data_ptr(), result.numel())


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_a_gradient_is_the_same_whichever_others_are_asked_for(
    case: Case, implementation: ek.Backend
) -> None:
    inputs = case.inputs(device=device_of(implementation))
    result = case(inputs)
    of_all = torch.autograd.grad(result, inputs, incoming(result))
    for needed in range(len(inputs)):
        alone = [x.detach().requires_grad_(i == needed) for i, x in enumerate(inputs)]
        case(alone).backward(incoming(result))
        for i, x in enumerate(alone):
            if i == needed:
                torch.testing.assert_close(x.grad, of_all[i])
            else:
                assert x.grad is None


def test_the_combinator_saves_nothing_but_its_inputs(kernels: ek.Backend) -> None:
    inputs = Case(COMBINATOR).inputs(device=device_of(kernels))
    saved = []

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor.data_ptr())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        Case(COMBINATOR)(inputs)
    assert saved == [x.data_ptr() for x in inputs]


def test_an_input_changed_after_the_forward_pass_is_noticed_where_it_would_matter(
    kernels: ek.Backend,
) -> None:
    inputs = Case().inputs(device=device_of(kernels))
    before = torch.autograd.grad(Case()(inputs), inputs)
    cost = Case()(inputs)
    with torch.no_grad():
        inputs[1].mul_(-2)
    # The first backward pass hands out what the forward pass computed; a second one computes again.
    after = torch.autograd.grad(cost, inputs, retain_graph=True)
    assert all(map(torch.equal, after, before))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        cost.backward()


def test_networks_whose_incoming_gradient_is_one_are_left_alone(kernels: ek.Backend) -> None:
    case = Case(COST, (3,))
    inputs = [x.detach() for x in case.inputs(device=device_of(kernels))]
    scale = torch.tensor([1.0, 2.0, 1.0], device=inputs[0].device)
    for filled in (True, False):
        buffers = [torch.full_like(x, 7) for x in inputs]
        operator(kernels, "ladder_denoising_cost_backward_")(buffers, scale, *inputs, 0b111111, filled)
        for buffer in buffers:
            untouched = [(part == 7).all().item() for part in buffer]
            assert untouched == [filled, False, filled]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32, torch.float64])
def test_a_stored_gradient_is_scaled_part_by_part(dtype: torch.dtype, kernels: ek.Backend) -> None:
    gradient = torch.randn(3, 5, 7, device=device_of(kernels)).to(dtype)
    before = gradient.clone()
    accumulation = torch.promote_types(dtype, torch.float32)
    scales = torch.tensor([[2.0, 9.0], [1.0, 9.0], [-0.5, 9.0]], device=gradient.device, dtype=accumulation)
    operator(kernels, "scale_gradients_")([gradient], scales[:, 0])
    assert torch.equal(gradient, before * scales[:, :1, None].to(dtype))
    operator(kernels, "scale_gradients_")([gradient], scales[0, 0].expand(3))
    assert torch.equal(gradient, before * 2 * scales[:, :1, None].to(dtype))

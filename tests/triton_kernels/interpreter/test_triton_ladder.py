"""The ladder operators in Triton against the reference: values, gradients and edges."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ebgan_kernels.reference import ladder as reference
from support.accuracy import assert_as_accurate_as_torch, error_in_ulp
from support.ladder import COMBINATOR, COST, Case, incoming
from support.needed import needed_of

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
# Tiles are 8 rows of 64 units in float32.
SIZES = [(1, 1), (3, 5), (8, 64), (9, 65), (17, 130)]
ALL = 0b111111


@pytest.fixture
def blocks_of_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    from ebgan_kernels.triton import ladder

    monkeypatch.setattr(ladder, "ENOUGH_PROGRAMS", 1)


def tensors(case: Case, **options: object) -> list[Tensor]:
    return [x.detach() for x in case.inputs(**options)]


def torch_results(
    case: Case, inputs: Sequence[Tensor], dtype: torch.dtype, grad: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Value and all gradients of the reference in ``dtype``, for an incoming gradient of 1."""
    leaves = [x.to(dtype).requires_grad_() for x in inputs]
    result = getattr(reference, case.name)(*leaves)
    weight = torch.ones_like(result) if grad is None else grad.to(dtype)
    return result.detach(), *torch.autograd.grad(result, leaves, weight)


def costs(operator, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The cost and all gradients."""
    cost, gradients = operator(COST)(*inputs, ALL)
    return cost, *gradients


def combined(operator, inputs: Sequence[Tensor], grad: Tensor) -> tuple[Tensor, ...]:
    return (
        operator(COMBINATOR)(*inputs),
        *operator("gaussian_combinator_backward")(grad, *inputs, 0b111),
    )


@pytest.mark.parametrize(("rows", "units"), SIZES[2:])
def test_costs_around_the_edges_of_tiles_are_as_accurate_as_torch(operator, device, rows, units):
    batches = [tensors(Case(), seed=s, rows=rows, units=units, device=device) for s in range(2)]
    ours = [costs(operator, inputs) for inputs in batches]
    assert {value.dtype for value in ours[0]} == {SINGLE}
    torchs = [torch_results(Case(), inputs, SINGLE) for inputs in batches]
    exacts = [torch_results(Case(), inputs, DOUBLE) for inputs in batches]
    for results in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        whole = [exact.abs() >= 0.1 * exact.abs().max() for exact in results[2]]
        assert_as_accurate_as_torch(
            *([tensor[w] for tensor, w in zip(values, whole, strict=True)] for values in results), allowed=2
        )


@pytest.mark.parametrize(("rows", "units"), SIZES)
def test_combinators_around_the_edges_of_tiles_are_right(operator, device, rows, units):
    case = Case(COMBINATOR)
    inputs = tensors(case, rows=rows, units=units, device=device)
    grad = incoming(inputs[0])
    for mine, exact in zip(
        combined(operator, inputs, grad), torch_results(case, inputs, DOUBLE, grad), strict=True
    ):
        torch.testing.assert_close(mine.double(), exact, rtol=2e-6, atol=2e-6 * exact.abs().max().item())


@pytest.mark.parametrize(("rows", "units"), SIZES[:2])
def test_costs_of_few_rows_and_units_are_right(operator, device, rows, units):
    inputs = tensors(Case(), rows=rows, units=units, device=device)
    for mine, exact in zip(costs(operator, inputs), torch_results(Case(), inputs, DOUBLE), strict=True):
        torch.testing.assert_close(mine.double(), exact, rtol=2e-6, atol=2e-6 * exact.abs().max().item())


@pytest.mark.parametrize("rows", [20, 70, 600])
def test_programs_that_take_several_rows_at_a_time_are_right(operator, device, blocks_of_many_rows, rows):
    inputs = tensors(Case(), rows=rows, units=3, device=device)
    for mine, exact in zip(costs(operator, inputs), torch_results(Case(), inputs, DOUBLE), strict=True):
        torch.testing.assert_close(mine.double(), exact, rtol=2e-6, atol=2e-6 * exact.abs().max().item())


@pytest.mark.parametrize("leading", [(3,), (2, 2)])
@pytest.mark.parametrize("filled", [False, True])
def test_each_network_has_an_incoming_gradient_of_its_own(operator, device, leading, filled):
    case = Case(COST, leading)
    inputs = tensors(case, rows=9, units=5, device=device)
    cost, *gradients = torch_results(case, inputs, DOUBLE)
    scale = torch.tensor([[1.0], [2.0], [-0.5], [0.0]], device=device)[: cost.numel(), 0]
    buffers = [torch.full_like(x, 7) for x in inputs]
    operator("ladder_denoising_cost_backward_")(buffers, scale, *inputs, ALL, filled)
    for buffer, gradient in zip(buffers, gradients, strict=True):
        parts = (buffer.flatten(0, len(leading) - 1), gradient.flatten(0, len(leading) - 1))
        for n, (mine, exact) in enumerate(zip(*parts, strict=True)):
            if filled and n == 0:
                assert (mine == 7).all()
            else:
                wanted = scale[n].double() * exact
                torch.testing.assert_close(mine.double(), wanted, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    "dtypes", [(BRAIN, SINGLE), (HALF, HALF), (BRAIN, BRAIN), (HALF, BRAIN), (SINGLE, HALF)]
)
@pytest.mark.parametrize("name", [COST, COMBINATOR])
def test_half_types_mix_and_each_gradient_has_its_inputs_dtype(operator, device, name, dtypes):
    case = Case(name)
    inputs = tensors(case, dtypes=dtypes, device=device)
    grad = None if name == COST else incoming(inputs[0])
    got = costs(operator, inputs) if grad is None else combined(operator, inputs, grad)
    first = SINGLE if grad is None else inputs[0].dtype
    assert [x.dtype for x in got] == [first, *(x.dtype for x in inputs)]
    for mine, exact in zip(got, torch_results(case, inputs, DOUBLE, grad), strict=True):
        if mine.dtype == SINGLE:
            torch.testing.assert_close(mine.double(), exact, rtol=1e-5, atol=2e-6 * exact.abs().max().item())
        else:
            whole = exact.abs() > 1e-2 * exact.abs().max()
            assert error_in_ulp(mine[whole], exact[whole]).max() <= 1


@pytest.mark.parametrize("name", [COST, COMBINATOR])
def test_float64_is_computed_in_float64(operator, device, name):
    case = Case(name, (2,))
    inputs = tensors(case, rows=9, units=35, dtypes=(DOUBLE, DOUBLE), device=device)
    grad = None if name == COST else incoming(inputs[0])
    got = costs(operator, inputs) if grad is None else combined(operator, inputs, grad)
    for mine, exact in zip(got, torch_results(case, inputs, DOUBLE, grad), strict=True):
        torch.testing.assert_close(mine, exact, rtol=1e-11, atol=1e-13)


def test_strided_rows_and_networks_are_read_where_they_are(operator, device):
    case = Case(COST, (2,))
    inputs = tensors(case, device=device)
    placed = [
        torch.cat([torch.full_like(x, 9), x], -2)[:, x.shape[-2] :] if x.dim() > 2 else x for x in inputs
    ]
    assert not placed[0].is_contiguous()
    for mine, expected in zip(costs(operator, placed), costs(operator, inputs), strict=True):
        assert torch.equal(mine, expected)


def test_gradients_that_are_not_needed_are_not_made(operator, device):
    inputs = tensors(Case(), device=device)
    complete = costs(operator, inputs)
    for needed in (0, *(1 << k for k in range(6))):
        cost, gradients = operator(COST)(*inputs, needed)
        assert torch.equal(cost, complete[0])
        for gradient, expected in zip(gradients, needed_of(complete[1:], needed), strict=True):
            assert torch.equal(gradient, expected)
        buffers = [torch.full_like(gradient, 7) for gradient in gradients]
        one = torch.ones((), device=device)
        operator("ladder_denoising_cost_backward_")(buffers, one, *inputs, needed, False)
        torch.testing.assert_close(buffers, list(gradients))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_spread_as_in_torch(operator, device, value):
    for wrong in range(6):
        inputs = tensors(Case(), units=5, device=device)
        inputs[wrong].view(-1, 5)[0, 3] = value
        got = costs(operator, inputs)
        for mine, theirs in zip(got, torch_results(Case(), inputs, SINGLE), strict=True):
            torch.testing.assert_close(mine, theirs, equal_nan=True, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [30.0, 80.0, 300.0])
def test_sigmoids_far_from_zero(operator, device, size):
    inputs = tensors(Case(), device=device)
    inputs[3][[1, 6]] *= size
    for mine, exact in zip(costs(operator, inputs), torch_results(Case(), inputs, DOUBLE), strict=True):
        torch.testing.assert_close(mine.double(), exact, rtol=2e-6, atol=2e-6 * exact.abs().max().item())


@pytest.mark.parametrize(("leading", "rows"), [((), 0), ((2,), 0), ((0,), 3)])
def test_no_samples_and_no_networks(operator, device, leading, rows):
    inputs = tensors(Case(COST, leading), rows=rows, units=5, device=device)
    cost, *gradients = costs(operator, inputs)
    assert cost.shape == leading and cost.isnan().all()
    assert [g.shape for g in gradients] == [x.shape for x in inputs]
    assert not any(gradient.any() for gradient in gradients)
    grads = combined(operator, inputs[1:4], inputs[1])
    assert not any(gradient.any() for gradient in grads)


def test_the_same_input_gives_the_same_bits(operator, device):
    inputs = tensors(Case(COST, (2,)), rows=40, units=65, device=device)
    first, second = (costs(operator, inputs) for _ in range(2))
    assert all(map(torch.equal, first, second))


@pytest.mark.parametrize("dtype", [BRAIN, SINGLE, DOUBLE])
def test_a_stored_gradient_is_scaled_part_by_part(operator, device, dtype):
    # Parts of one block and of several.
    for size in (35, 5000):
        gradient = (torch.arange(3 * size, device=device) % 64).to(dtype).view(3, size)
        accumulation = torch.promote_types(dtype, SINGLE)
        scale = torch.tensor([[2.0, 9.0], [1.0, 9.0], [-0.5, 9.0]], device=device, dtype=accumulation)[:, 0]
        gradients = [gradient, gradient[:, :7].contiguous()]
        expected = [each * scale[:, None].to(dtype) for each in gradients]
        operator("scale_gradients_")(gradients, scale)
        assert all(map(torch.equal, gradients, expected))


def test_the_operators_are_registered_rightly(operator, device):
    inputs = tensors(Case(COST, (2,)), rows=3, units=5, device=device)
    torch.library.opcheck(operator(COST), (*inputs, ALL))
    torch.library.opcheck(operator(COMBINATOR), (*inputs[1:4],))
    torch.library.opcheck(operator("gaussian_combinator_backward"), (inputs[1].clone(), *inputs[1:4], 0b101))
    scale = torch.ones(2, device=device)
    arguments = ([torch.zeros_like(x) for x in inputs], scale, *inputs, ALL, False)
    torch.library.opcheck(operator("ladder_denoising_cost_backward_"), arguments)

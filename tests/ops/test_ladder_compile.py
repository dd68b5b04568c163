"""torch.compile, torch.export and autocast: no graph break, no needless recompilation, the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import ebgan_kernels as ek
from support.implementations import device_of
from support.ladder import CASES, COST, FUNCTIONS, Case, incoming, value_and_gradients


@pytest.fixture(autouse=True)
def _nothing_compiled_before() -> None:
    torch._dynamo.reset()


def compiled(case: Case) -> tuple[Callable[..., Tensor], CompileCounterWithBackend]:
    counter = CompileCounterWithBackend("aot_eager")
    return torch.compile(lambda inputs: case(inputs), fullgraph=True, backend=counter), counter


@pytest.mark.parametrize("case", CASES, ids=str)
def test_compiled_forward_and_backward_equal_eager(case: Case, implementation: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(implementation))
    result = compiled(case)[0](inputs)
    gradients = torch.autograd.grad(result, inputs, incoming(result))
    expected, expected_gradients = value_and_gradients(case, inputs)
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(gradients, tuple(expected_gradients))


def test_a_training_step_compiled_by_inductor_equals_eager(kernels: ek.Backend) -> None:
    device = device_of(kernels)
    x, mean, std = (
        torch.randn(18, 6, device=device),
        torch.zeros(8, device=device),
        torch.ones(8, device=device),
    )
    layer, combinator = torch.nn.Linear(6, 8).to(device), ek.GaussianCombinator(8).to(device)

    def loss() -> Tensor:
        z = layer(x)
        # Parts of a joint batch: rows of a larger tensor.
        return ek.ladder_denoising_cost(z[:6], z[6:12], z[12:], combinator.weight + 0.1, mean, std)

    parameters = (*layer.parameters(), combinator.weight)
    expected = loss()
    value = torch.compile(loss, fullgraph=True)()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(
        torch.autograd.grad(3 * value, parameters), torch.autograd.grad(3 * expected, parameters)
    )


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_another_batch_size_recompiles_once_at_most(case: Case, implementation: ek.Backend) -> None:
    function, counter = compiled(case)
    for rows in (2, 3, 4, 5):
        inputs = case.inputs(rows=rows, device=device_of(implementation))
        torch.testing.assert_close(function(inputs), case(inputs))
    assert counter.frame_count <= 2


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_switching_the_implementation_recompiles(case: Case, kernels: ek.Backend) -> None:
    call = f"torch.ops.ebgan_kernels.{case.name}"
    function, counter = compiled(case)
    inputs = case.inputs(device=device_of(kernels))
    ours = function(inputs)
    assert counter.frame_count == 1 and call in counter.graphs[0].print_readable(False)
    with ek.backend("reference"):
        function(inputs)
    assert counter.frame_count == 2 and call not in counter.graphs[1].print_readable(False)
    assert torch.equal(function(inputs), ours) and counter.frame_count == 2


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_an_exported_forward_equals_eager(case: Case, implementation: ek.Backend) -> None:
    class Program(torch.nn.Module):
        def forward(self, inputs: list[Tensor]) -> Tensor:
            return case(inputs)

    inputs = [x.detach() for x in case.inputs(device=device_of(implementation))]
    with torch.no_grad():
        program = torch.export.export(Program(), (inputs,)).module()
        torch.testing.assert_close(program(inputs), case(inputs))


def test_under_autocast_half_activations_beside_float32_statistics_give_a_float32_cost(
    implementation: ek.Backend,
) -> None:
    inputs = [x.detach() for x in Case(COST).inputs(device=device_of(implementation))]
    layer = torch.nn.Linear(10, 10).to(inputs[0].device)
    with torch.autocast(inputs[0].device.type, torch.bfloat16):
        z = layer(inputs[1])
        cost = ek.ladder_denoising_cost(z, z + 0.3, z, *inputs[3:])
        denoised = ek.gaussian_combinator(z, z, inputs[3])
    assert (z.dtype, cost.dtype, denoised.dtype) == (torch.bfloat16, torch.float32, torch.bfloat16)
    exact = ek.ladder_denoising_cost(
        *(x.detach().double() for x in (z, z + 0.3, z)), *(x.double() for x in inputs[3:])
    )
    torch.testing.assert_close(cost.double(), exact, rtol=1e-6, atol=0)
    (cost + denoised.float().sum()).backward()
    assert layer.weight.grad.isfinite().all() and layer.weight.grad.any()

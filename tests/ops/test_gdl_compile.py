"""torch.compile, torch.export and autocast: no graph break, no needless recompilation, the same numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import ebgan_kernels as ek
from support.gdl import FUNCTIONS, Case, value_and_gradients
from support.implementations import device_of

# Every branch of the public functions; the options within one are numbers to the compiler.
REPRESENTATIVE = [
    *FUNCTIONS,
    Case(p=2, alpha=1.5, gdl_weight=0.0, reduction="sum"),
    Case(p=2, alpha=2.0, spatial_dims=3, reduction="none"),
]
CALL = "torch.ops.ebgan_kernels.prediction_loss"


@pytest.fixture(autouse=True)
def _nothing_compiled_before() -> None:
    torch._dynamo.reset()


def compiled(function: Callable[..., object]) -> tuple[Callable[..., Tensor], CompileCounterWithBackend]:
    counter = CompileCounterWithBackend("aot_eager")
    return torch.compile(lambda inputs: function(inputs), fullgraph=True, backend=counter), counter


@pytest.mark.parametrize("case", REPRESENTATIVE, ids=str)
def test_compiled_forward_and_backward_equal_eager(case: Case, implementation: ek.Backend) -> None:
    inputs = case.inputs(device=device_of(implementation))
    for arguments in (inputs, [*inputs[:-1], inputs[-1].detach()]):
        leaves = [x for x in arguments if x.requires_grad]
        result = compiled(case)[0](arguments)
        gradients = torch.autograd.grad(result.sum(), leaves)
        expected, expected_gradients = value_and_gradients(case, arguments)
        torch.testing.assert_close(result, expected)
        torch.testing.assert_close(gradients, tuple(expected_gradients))


def test_a_compiled_pyramid_equals_eager(implementation: ek.Backend) -> None:
    x = torch.randn(2, 3, 8, 12, device=device_of(implementation), requires_grad=True)
    levels = compiled(lambda x: ek.average_pyramid(x, 3))[0](x)
    expected = ek.average_pyramid(x, 3)
    torch.testing.assert_close(levels, expected)
    gradients, wanted = (
        torch.autograd.grad(sum(level.square().sum() for level in pyramid), x)
        for pyramid in (levels, expected)
    )
    torch.testing.assert_close(gradients, wanted)


def test_a_training_step_compiled_by_inductor_equals_eager(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    frames, target = torch.randn(2, 4, 3, 16, 16, device=device)
    network = torch.nn.Conv2d(3, 3, 3, padding=1).to(device)

    def loss() -> Tensor:
        finest = network(frames)
        return ek.multiscale_prediction_loss(ek.average_pyramid(finest, 2), target)

    parameters = tuple(network.parameters())
    expected = loss()
    value = torch.compile(loss, fullgraph=True)()
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(
        torch.autograd.grad(3 * value, parameters), torch.autograd.grad(3 * expected, parameters)
    )


def test_another_batch_size_recompiles_once_at_most(implementation: ek.Backend) -> None:
    function, counter = compiled(Case())
    for samples in (2, 3, 4, 5):
        inputs = Case().inputs(leading=(samples, 3), device=device_of(implementation))
        torch.testing.assert_close(function(inputs), Case()(inputs))
    assert counter.frame_count <= 2


def test_switching_the_implementation_recompiles(kernels: ek.Backend) -> None:
    function, counter = compiled(Case())
    inputs = Case().inputs(device=device_of(kernels))
    ours = function(inputs)
    assert counter.frame_count == 1 and CALL in counter.graphs[0].print_readable(False)
    with ek.backend("reference"):
        function(inputs)
    assert counter.frame_count == 2 and CALL not in counter.graphs[1].print_readable(False)
    assert torch.equal(function(inputs), ours) and counter.frame_count == 2


@pytest.mark.parametrize("case", FUNCTIONS, ids=str)
def test_an_exported_forward_equals_eager(case: Case, implementation: ek.Backend) -> None:
    class Program(torch.nn.Module):
        def forward(self, inputs: Sequence[Tensor]) -> Tensor:
            return case(inputs)

    inputs = [x.detach() for x in case.inputs(device=device_of(implementation))]
    with torch.no_grad():
        program = torch.export.export(Program(), (inputs,)).module()
        torch.testing.assert_close(program(inputs), case(inputs))


def test_under_autocast_a_half_prediction_of_float32_frames_gives_a_float32_loss(
    implementation: ek.Backend,
) -> None:
    device = device_of(implementation)
    frames, target = torch.randn(2, 4, 3, 16, 16, device=device)
    network = torch.nn.Conv2d(3, 3, 3, padding=1).to(device)
    with torch.autocast(device.type, torch.bfloat16):
        prediction = network(frames)
        losses = [
            ek.prediction_loss(prediction, target),
            ek.gradient_difference_loss(prediction, target, reduction="none"),
            ek.multiscale_prediction_loss(ek.average_pyramid(prediction, 2), target),
        ]
    assert prediction.dtype == torch.bfloat16 and {loss.dtype for loss in losses} == {torch.float32}
    exact = ek.prediction_loss(prediction.detach().double(), target.double())
    torch.testing.assert_close(losses[0].double(), exact, rtol=1e-6, atol=0)
    sum(loss.sum() for loss in losses).backward()
    assert network.weight.grad.isfinite().all() and network.weight.grad.any()

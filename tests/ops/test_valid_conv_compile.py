"""torch.compile, torch.export and autocast: no graph break, no needless recompilation, the same numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import ebgan_kernels as ek
from support.implementations import device_of
from support.valid_conv import SCALES, SMALL, Layer, leaves_of, tensors_of

OPERATOR = "torch.ops.ebgan_kernels.multiscale_valid_conv2d"


@pytest.fixture(autouse=True)
def _nothing_compiled_before() -> None:
    torch._dynamo.reset()


def layer(inputs: list[Tensor], weights: list[Tensor], biases: list[Tensor | None]) -> list[Tensor]:
    return ek.multiscale_valid_conv2d(inputs, weights, biases, activation="leaky_relu")


@pytest.mark.parametrize("channels_last", [False, True])
def test_compiled_forward_and_backward_equal_eager(channels_last: bool, implementation: ek.Backend) -> None:
    tensors = tensors_of(SCALES, device=device_of(implementation), channels_last=channels_last)
    outputs = torch.compile(layer, fullgraph=True, backend="aot_eager")(*tensors)
    expected = layer(*tensors)
    torch.testing.assert_close(outputs, expected)
    leaves = leaves_of(tensors)
    torch.testing.assert_close(
        torch.autograd.grad([x.square().sum() for x in outputs], leaves),
        torch.autograd.grad([x.square().sum() for x in expected], leaves),
    )


def test_a_training_step_compiled_by_inductor_equals_eager(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    network = torch.nn.Sequential(
        ek.ValidConv2d(3, 4, 3, activation="relu"), ek.ValidConv2d(4, 2, (2, 3), activation="tanh")
    ).to(device)
    x = torch.randn(2, 3, 8, 9, device=device)
    expected, found = network(x).sum(), torch.compile(lambda: network(x).sum(), fullgraph=True)()
    torch.testing.assert_close(found, expected)
    parameters = tuple(network.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(found, parameters), torch.autograd.grad(expected, parameters)
    )


def test_another_batch_size_recompiles_once_at_most(implementation: ek.Backend) -> None:
    counter = CompileCounterWithBackend("aot_eager")
    function = torch.compile(layer, fullgraph=True, backend=counter)
    for samples in (2, 3, 4, 5):
        tensors = tensors_of([Layer((samples, 3, 6, 6), 4, (3, 3))], device=device_of(implementation))
        torch.testing.assert_close(function(*tensors), layer(*tensors))
    assert counter.frame_count <= 2


def test_switching_the_implementation_recompiles(kernels: ek.Backend) -> None:
    if kernels == "cpu":
        pytest.skip("on a CPU both are torch's own convolution")
    counter = CompileCounterWithBackend("aot_eager")
    function = torch.compile(layer, fullgraph=True, backend=counter)
    tensors = tensors_of([SMALL], device=device_of(kernels))
    function(*tensors)
    assert counter.frame_count == 1 and OPERATOR in counter.graphs[0].print_readable(False)
    with ek.backend("reference"):
        function(*tensors)
    assert counter.frame_count == 2 and OPERATOR not in counter.graphs[1].print_readable(False)


def test_an_exported_forward_equals_eager(implementation: ek.Backend) -> None:
    network = ek.MultiscaleValidConv2d([3, 2], [4, 5], [3, 2], activation="relu").to(
        device_of(implementation)
    )
    inputs = [torch.randn(2, 3, 5, 5), torch.randn(2, 2, 4, 6)]
    inputs = [x.to(device_of(implementation)) for x in inputs]
    with torch.no_grad():
        program = torch.export.export(network, (inputs,)).module()
        torch.testing.assert_close(program(inputs), network(inputs))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_decides_the_dtype(
    dtype: torch.dtype, channels_last: bool, implementation: ek.Backend
) -> None:
    device = device_of(implementation)
    tensors = tensors_of(SCALES, device=device, channels_last=channels_last)
    halves = [[None if x is None else x.detach().to(dtype) for x in kind] for kind in tensors]
    with torch.autocast(device.type, dtype):
        outputs = layer(*tensors)
        mixed = layer(halves[0], *tensors[1:])  # what the layer before has left in half precision
    assert {x.dtype for x in (*outputs, *mixed)} == {dtype}
    torch.testing.assert_close(outputs, layer(*halves))
    torch.testing.assert_close(mixed, outputs)
    sum(x.float().sum() for x in outputs).backward()
    assert all(x.grad.dtype == torch.float32 and x.grad.isfinite().all() for x in leaves_of(tensors))


def test_autocast_leaves_float64_alone(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    tensors = tensors_of([SMALL], dtype=torch.float64, device=device)
    with torch.autocast(device.type, torch.bfloat16):
        (output,) = layer(*tensors)
    torch.testing.assert_close(output, layer(*tensors)[0])

"""The host's plans on devices that no one machine has: they are emulated, and a GPU is what it is.

Few multiprocessors, little shared memory, no room for clusters, code that was compiled for an older device.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from support import emulator, gdl, ladder
from support.implementations import OperatorLog
from support.losses import Case, images, torch_value_and_gradients, value_and_gradients
from support.valid_conv import Layer, tensors_of


@pytest.fixture(params=emulator.devices() or ["a GPU"])
def device(request: pytest.FixtureRequest, cuda: torch.device) -> Iterator[torch.device]:
    """The place of tensors for one of the emulated devices, which is in use meanwhile."""
    if not emulator.devices():
        pytest.skip("the kernels are not emulated")
    with emulator.device(request.param):
        yield cuda


# One block, clusters of 2 to 8 blocks, as much as 8 blocks hold, and more.
@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("elements", [785, 9000, 3 * 64 * 64, 57_769, 115_529, 231_041, 465_001])
def test_samples_of_every_size_are_right(device: torch.device, elements: int, samples: int) -> None:
    case = Case("discriminator_loss")
    inputs = case.inputs(images(sample=(elements,), real=samples, fake=1, device=device))
    margin = case.margin(inputs)
    value, gradients = value_and_gradients(case, inputs, margin)
    exact, exact_gradients = torch_value_and_gradients(case, inputs, margin, torch.float64)
    torch.testing.assert_close(value.double(), exact, rtol=3e-6, atol=0)
    for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
        torch.testing.assert_close(gradient.double(), exact_gradient, rtol=3e-6, atol=0)


def test_a_difference_is_right(device: torch.device) -> None:
    case = gdl.Case(p=2)
    inputs = case.inputs(leading=(40, 3), size=(33, 32), device=device)
    value, gradients = gdl.value_and_gradients(case, inputs)
    exact_value, exact = gdl.torch_value_and_gradients(case, inputs, torch.float64)
    torch.testing.assert_close(value.double(), exact_value, rtol=3e-6, atol=0)
    for ours, true in zip(gradients, exact, strict=True):
        assert (ours.double() - true).abs().max() <= 3e-6 * true.abs().max()


def test_a_cost_is_right(device: torch.device) -> None:
    case = ladder.Case("ladder_denoising_cost", (3,))
    ladder.assert_close_to_float64(case, case.inputs(rows=70, units=65, device=device))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("maps", [3, 96])
def test_a_convolution_is_right(device: torch.device, maps: int, dtype: torch.dtype) -> None:
    operators = torch.ops.ebgan_kernels
    layer = Layer((2, 24, 20, 20), maps, (5, 5))
    (image,), (weight,), (bias,) = tensors_of([layer], dtype=dtype, device=device)
    arguments = [[x.detach()] for x in (image, weight, bias)]
    (output,) = operators.multiscale_valid_conv2d(*arguments, 0, True)
    gradient = torch.randn_like(output)
    found = operators.multiscale_valid_conv2d_backward([gradient], [output], *arguments[:2], 0, True, 1, 1, 1)
    exact = [x.detach().double().requires_grad_() for x in (image, weight, bias)]
    expected = torch.nn.functional.conv2d(*exact)
    gradients = torch.autograd.grad(expected, exact, gradient.double())
    # tf32 and bfloat16 round the factors, and bfloat16 the result; what is left is relative to the largest.
    tolerance = 2e-2 if dtype == torch.bfloat16 else 3e-3
    for ours, true in zip((output, *found), (expected, *gradients), strict=True):
        assert (ours.double() - true).abs().max() <= tolerance * true.abs().max()


@pytest.fixture
def any_order(cuda: torch.device) -> Iterator[list[int]]:
    """Seeds of the order in which threads and blocks run; the first order comes back."""
    if not emulator.devices():
        pytest.skip("the kernels are not emulated")
    before = emulator.emulator().emulator_seed()
    yield [0, 1, 7, 8]
    emulator.emulator().emulator_set_seed(before)


def _bits(cuda: torch.device) -> list[torch.Tensor]:
    """Results and gradients of operators of every family, with clusters and cut sums among them."""
    case = Case("discriminator_loss")
    inputs = case.inputs(images(sample=(57_769,), real=3, fake=2, device=cuda))
    value, gradients = value_and_gradients(case, inputs, case.margin(inputs))
    bits = [value, *gradients]
    difference, cost = gdl.Case("multiscale_prediction_loss"), ladder.Case("ladder_denoising_cost", (2,))
    value, gradients = gdl.value_and_gradients(difference, difference.inputs(size=(64, 72), device=cuda))
    bits += [value, *gradients]
    value, gradients = ladder.value_and_gradients(cost, cost.inputs(rows=130, units=40, device=cuda))
    bits += [value, *gradients]
    codes = torch.randn(70, 30, generator=torch.Generator().manual_seed(3)).requires_grad_()
    term = ek.pulling_away(codes)
    bits += [term.detach(), *torch.autograd.grad(term, codes)]
    layers = [Layer((2, 24, 9, 9), 40, (3, 3)), Layer((1, 3, 9, 9), 3, (5, 5))]
    inputs, weights, biases = tensors_of(layers, device=cuda)
    outputs = ek.multiscale_valid_conv2d(inputs, weights, biases, activation="tanh")
    loss = sum(output.square().sum() for output in outputs)
    return [*bits, *torch.autograd.grad(loss, [*inputs, *weights])]


def test_the_order_of_threads_changes_no_bit(cuda: torch.device, any_order: list[int]) -> None:
    by_order = []
    for seed in any_order:
        emulator.emulator().emulator_set_seed(seed)
        by_order.append(_bits(cuda))
    for bits in by_order[1:]:
        assert all(map(torch.equal, bits, by_order[0]))


def test_the_report_says_that_the_kernels_are_emulated(cuda: torch.device) -> None:
    if not emulator.devices():
        pytest.skip("the kernels are not emulated")
    lines = {line.split()[0]: line for line in ek.backend_report().splitlines()}
    assert "available: emulated on CPU tensors by " in lines["cuda"]
    assert "EBGAN_KERNELS_EMULATE_CUDA" in lines["cpu"]


def test_emulated_kernels_run_only_where_they_are_insisted_on(cuda: torch.device) -> None:
    if not emulator.devices():
        pytest.skip("the kernels are not emulated")
    with OperatorLog() as log:
        ek.reconstruction_energy(torch.zeros(2, 3), torch.ones(2, 3))
    assert "ebgan_kernels.reconstruction_energy" in log.names
    # In another thread nothing is insisted on.
    names: list[str] = []

    def automatic() -> None:
        with OperatorLog() as log:
            ek.reconstruction_energy(torch.zeros(2, 3), torch.ones(2, 3))
        names.extend(log.names)

    thread = threading.Thread(target=automatic)
    thread.start()
    thread.join()
    assert names and "ebgan_kernels.reconstruction_energy" not in names

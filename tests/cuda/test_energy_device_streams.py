"""The CUDA kernels of the energy family beside other work: streams, graphs, devices; the host never waits."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.losses import Case, images, value_and_gradients

pytestmark = pytest.mark.needs_gpu

CASE = Case("discriminator_loss")
SIZES = (784, 3 * 64 * 64, 500_001)


def _step(inputs: list[Tensor], margin: Tensor) -> list[Tensor]:
    """Loss, energies and gradients, with an incoming gradient that is not 1."""
    loss, *energies = ek.discriminator_loss(*inputs, margin=margin)
    return [loss.detach(), *energies, *torch.autograd.grad(0.5 * loss, inputs)]


@pytest.mark.parametrize("elements", SIZES)
def test_a_captured_step_replays_with_new_input(cuda: torch.device, elements: int) -> None:
    inputs = CASE.inputs(images(sample=(elements,), device=cuda))
    margin = torch.tensor(5.0, device=cuda)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        _step(inputs, margin)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = _step(inputs, margin)

    for seed, new_margin in ((1, 30.0), (2, 300.0)):
        margin.fill_(new_margin)
        with torch.no_grad():
            for old, new in zip(inputs, images(seed, sample=(elements,), device=cuda), strict=True):
                old.copy_(new)
        graph.replay()
        assert all(map(torch.equal, captured, _step(inputs, margin)))


def test_a_first_call_may_be_captured(cuda: torch.device) -> None:
    """Asking the device for its limits and raising a kernel's shared memory are allowed during capture."""
    pair = [
        torch.rand(2, 16_384 + 8 * torch.cuda.device_count(), device=cuda, dtype=torch.float64)
        for _ in range(2)
    ]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = torch.ops.ebgan_kernels.energy_loss(*pair, None, None, None, 0, 0, 0b11)
    graph.replay()
    again = torch.ops.ebgan_kernels.energy_loss(*pair, None, None, None, 0, 0, 0b11)
    (loss, results), (expected, others) = captured, again
    assert torch.equal(loss, expected)
    assert len(results) == 3 and all(map(torch.equal, results, others))


@pytest.mark.parametrize("elements", SIZES)
def test_work_goes_to_the_current_stream(cuda: torch.device, elements: int) -> None:
    late = images(1, sample=(elements,), device=cuda)
    inputs = CASE.inputs([torch.zeros_like(image) for image in late])
    margin = torch.tensor(5.0, device=cuda)
    torch.cuda.synchronize()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        with torch.no_grad():
            for old, new in zip(inputs, late, strict=True):
                old.copy_(new)
        loss, gradients = value_and_gradients(CASE, inputs, margin)
    side.synchronize()
    expected, expected_gradients = value_and_gradients(CASE, CASE.inputs(late), margin)
    assert torch.equal(loss, expected)
    assert all(map(torch.equal, gradients, expected_gradients))


@pytest.mark.parametrize("elements", SIZES)
def test_the_host_never_waits_for_the_device(cuda: torch.device, elements: int) -> None:
    inputs = CASE.inputs(images(sample=(elements,), device=cuda))
    margin = torch.tensor(5.0, device=cuda)
    torch.cuda.set_sync_debug_mode("error")
    try:
        _step(inputs, margin)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_tensors_choose_the_device(cuda: torch.device) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    batch = images(sample=(3 * 128 * 128,), device=cuda)
    first = _step(CASE.inputs(batch), torch.tensor(5.0, device=cuda))
    second = _step(CASE.inputs([x.to("cuda:1") for x in batch]), torch.tensor(5.0, device="cuda:1"))
    assert torch.cuda.current_device() == 0
    assert all(x.device.index == 1 for x in second)
    for x, y in zip(first, second, strict=True):
        torch.testing.assert_close(y.to(cuda), x)

"""Valid convolutions on CUDA beside other work: streams, graphs, devices, memory; the host never waits."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek

pytestmark = pytest.mark.needs_gpu

OPERATORS = torch.ops.ebgan_kernels
# N, C, H, W, O, K: the first layers of the discriminators of 4 to 1, and a layer of more than 128 maps.
SCALES = ((8, 15, 4, 4, 64, 3), (8, 15, 8, 8, 64, 3), (8, 15, 16, 16, 128, 5), (8, 15, 32, 32, 128, 7))
WIDE = ((8, 128, 26, 26, 256, 7),)
CALLS = {
    "scales-fp32": (SCALES, torch.float32),
    "scales-bf16": (SCALES, torch.bfloat16),
    "wide-bf16": (WIDE, torch.bfloat16),
    "wide-fp64": (WIDE, torch.float64),
}

Inputs = tuple[list[Tensor], list[Tensor], list[Tensor]]


def _inputs(name: str, device: torch.device | str, seed: int = 0) -> Inputs:
    shapes, dtype = CALLS[name]
    random = torch.Generator().manual_seed(seed)

    def leaf(*size: int) -> Tensor:
        values = torch.randn(size, generator=random) / size[-1]
        return values.to(device, dtype).requires_grad_()

    return (
        [leaf(n, c, h, w) for n, c, h, w, _, _ in shapes],
        [leaf(o, c, k, k) for _, c, _, _, o, k in shapes],
        [leaf(o) for _, _, _, _, o, _ in shapes],
    )


def _leaves(inputs: Inputs) -> list[Tensor]:
    return [leaf for leaves in inputs for leaf in leaves]


def _step(inputs: Inputs) -> list[Tensor]:
    """Outputs and all gradients."""
    outputs = ek.multiscale_valid_conv2d(*inputs, activation="leaky_relu")
    gradients = torch.autograd.grad(outputs, _leaves(inputs), [0.5 * x.detach() for x in outputs])
    return [*(x.detach() for x in outputs), *gradients]


def _overwrite(inputs: Inputs, new: Inputs) -> None:
    with torch.no_grad():
        for old, value in zip(_leaves(inputs), _leaves(new), strict=True):
            old.copy_(value)


def _all_equal(first: Sequence[Tensor], second: Sequence[Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(first, second, strict=True))


@pytest.mark.parametrize("name", CALLS)
def test_same_input_gives_the_same_bits(cuda: torch.device, name: str) -> None:
    inputs = _inputs(name, cuda)
    first = _step(inputs)
    for _ in range(3):
        assert _all_equal(_step(inputs), first)


@pytest.mark.parametrize("name", CALLS)
def test_a_captured_step_replays_with_new_input(cuda: torch.device, name: str) -> None:
    inputs = _inputs(name, cuda)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        _step(inputs)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = _step(inputs)
    _overwrite(inputs, _inputs(name, cuda, seed=1))
    graph.replay()
    assert _all_equal(captured, _step(inputs))


@pytest.mark.parametrize("name", CALLS)
def test_work_goes_to_the_current_stream(cuda: torch.device, name: str) -> None:
    late = _inputs(name, cuda, seed=1)
    inputs = _inputs(name, cuda)
    torch.cuda.synchronize()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        _overwrite(inputs, late)
        got = _step(inputs)
    side.synchronize()
    assert _all_equal(got, _step(late))


@pytest.mark.parametrize("name", CALLS)
def test_the_host_never_waits_for_the_device(cuda: torch.device, name: str) -> None:
    inputs = _inputs(name, cuda)
    _step(inputs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        _step(inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", CALLS)
def test_tensors_choose_the_device(cuda: torch.device, name: str) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    second = _step(_inputs(name, "cuda:1"))
    assert torch.cuda.current_device() == 0
    assert all(x.device.index == 1 for x in second)
    for x, y in zip(_step(_inputs(name, cuda)), second, strict=True):
        torch.testing.assert_close(y.to(cuda), x)


def test_a_forward_pass_of_ready_layouts_takes_no_memory_beside_its_output(cuda: torch.device) -> None:
    image = torch.randn(64, 128, 26, 26, device=cuda, dtype=torch.bfloat16)
    weight = torch.randn(256, 128, 7, 7, device=cuda, dtype=torch.bfloat16)
    image, weight = (x.to(memory_format=torch.channels_last) for x in (image, weight))
    bias = torch.randn(256, device=cuda, dtype=torch.bfloat16)
    arguments = ([image], [weight], [bias], 1, True)
    OPERATORS.multiscale_valid_conv2d(*arguments)
    torch.cuda.reset_peak_memory_stats(cuda)
    before = torch.cuda.memory_stats(cuda)["requested_bytes.all.current"]
    (output,) = OPERATORS.multiscale_valid_conv2d(*arguments)
    peak = torch.cuda.memory_stats(cuda)["requested_bytes.all.peak"] - before
    assert peak == output.numel() * output.element_size()

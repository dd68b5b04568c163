"""The ladder family on CUDA: edges of tiles, memory, streams, graphs, devices."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.ladder import COMBINATOR, COST, Case, assert_close_to_float64, incoming, value_and_gradients
from support.ladder_layer import LAYERS, Layer, assert_layer_close_to_float64, results_and_gradients

OPERATORS = torch.ops.ebgan_kernels
HALVES = (torch.float16, torch.bfloat16, torch.float32)
# Around the 32 units and 8 to 64 rows of a tile; few tiles and many. (leading axes, rows, units)
SIZES = (
    ((), 1, 1), ((), 7, 31), ((), 8, 32), ((), 9, 33), ((3,), 65, 10), ((), 100, 784), ((), 1500, 784),
    ((15,), 100, 784), ((2, 2), 129, 250),
)  # fmt: skip


@pytest.mark.parametrize("name", [COST, COMBINATOR])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_size_is_right(cuda: torch.device, size: tuple[tuple[int, ...], int, int], name: str) -> None:
    leading, rows, units = size
    case = Case(name, leading)
    assert_close_to_float64(case, case.inputs(rows=rows, units=units, device=cuda))


@pytest.mark.parametrize("layer", [*LAYERS, Layer(("noise", "beta", "gamma"))], ids=str)
@pytest.mark.parametrize(("rows", "units"), [(2, 1), (9, 33), (100, 784), (1500, 31)], ids=str)
def test_every_layer_is_right(cuda: torch.device, rows: int, units: int, layer: Layer) -> None:
    assert_layer_close_to_float64(layer, layer.inputs(rows=rows, units=units, device=cuda))


@pytest.mark.parametrize("dtypes", [*product(HALVES, HALVES), (torch.float64, torch.float64)], ids=str)
def test_every_mix_of_dtypes_of_a_layer_is_right(
    cuda: torch.device, dtypes: tuple[torch.dtype, torch.dtype]
) -> None:
    layer = Layer(("noise", "beta", "gamma"))
    assert_layer_close_to_float64(layer, layer.inputs(rows=20, units=45, dtypes=dtypes, device=cuda))


@pytest.mark.parametrize("name", [COST, COMBINATOR])
@pytest.mark.parametrize("dtypes", [*product(HALVES, HALVES), (torch.float64, torch.float64)], ids=str)
def test_every_mix_of_dtypes_is_right(
    cuda: torch.device, dtypes: tuple[torch.dtype, torch.dtype], name: str
) -> None:
    case = Case(name, (2,))
    assert_close_to_float64(case, case.inputs(rows=20, units=45, dtypes=dtypes, device=cuda))


@pytest.mark.needs_gpu
def test_peak_memory_is_the_outputs_and_the_sums_of_tiles(cuda: torch.device) -> None:
    inputs = [x.detach() for x in Case(COST).inputs(rows=100, units=784, device=cuda)]
    cost = OPERATORS.ladder_denoising_cost
    cost(*inputs, 0b111111)
    torch.cuda.reset_peak_memory_stats(cuda)
    before = torch.cuda.memory_stats(cuda)["requested_bytes.all.current"]
    value, gradients = cost(*inputs, 0b111111)
    peak = torch.cuda.memory_stats(cuda)["requested_bytes.all.peak"] - before
    results = sum(result.numel() * result.element_size() for result in (value, *gradients))
    assert len(gradients) == 6
    tiles = 13  # of 8 rows: 100 rows of 784 units are few
    assert results <= peak <= results + 4 * tiles * (12 * 784 + 25)


@pytest.mark.needs_gpu
@pytest.mark.slow
def test_more_elements_than_32_bits_count_are_right(cuda: torch.device) -> None:
    rows, units = 65_537, 32_768  # more than 2^31 elements
    free, _ = torch.cuda.mem_get_info()
    needed = 3 * 2 * rows * units
    if free < needed:
        pytest.skip(f"needs {needed >> 30} GiB of free GPU memory, there are {free >> 30}")
    z = torch.zeros(rows, units, device=cuda, dtype=torch.bfloat16)
    z[-1] = 2
    parameters = torch.zeros(10, units, device=cuda).index_fill(0, torch.tensor(9, device=cuda), 3.0)
    denoised = ek.gaussian_combinator(z, z, parameters)
    assert not denoised[:-1].any() and (denoised[-1] == 6).all()
    statistic = torch.ones(units, device=cuda)
    cost = ek.ladder_denoising_cost(z, z, z, parameters, 0 * statistic, statistic)  # (2 - 6)^2 in one row
    torch.testing.assert_close(cost.item(), 16 / rows, rtol=1e-6, atol=0)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("name", [COST, COMBINATOR])
def test_a_captured_step_replays_with_new_input(cuda: torch.device, name: str) -> None:
    case = Case(name, (2,))
    inputs = case.inputs(rows=20, units=45, device=cuda)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        value_and_gradients(case, inputs)
    torch.cuda.current_stream().wait_stream(side)
    weight = incoming(case(inputs))
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = case(inputs)
        captured = [result.detach(), *torch.autograd.grad(result, inputs, weight)]
    with torch.no_grad():
        for x, other in zip(inputs, case.inputs(1, rows=20, units=45, device=cuda), strict=True):
            x.copy_(other)
    graph.replay()
    value, gradients = value_and_gradients(case, inputs)
    assert all(map(torch.equal, captured, [value, *gradients]))


@pytest.mark.needs_gpu
def test_a_captured_layer_replays_with_new_input(cuda: torch.device) -> None:
    layer = Layer(("noise", "beta", "gamma"))
    inputs = layer.inputs(rows=20, units=45, device=cuda)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        results_and_gradients(layer, inputs)
        weights = [incoming(result) for result in layer(inputs)]
    torch.cuda.current_stream().wait_stream(side)
    wanted = [tensor for tensor in inputs.values() if tensor.requires_grad]
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        results = layer(inputs)
        captured = [*(result.detach() for result in results), *torch.autograd.grad(results, wanted, weights)]
    with torch.no_grad():
        for name, other in layer.inputs(1, rows=20, units=45, device=cuda).items():
            inputs[name].copy_(other)
    graph.replay()
    assert all(map(torch.equal, captured, results_and_gradients(layer, inputs)))


@pytest.mark.needs_gpu
def test_work_goes_to_the_current_stream(cuda: torch.device) -> None:
    inputs = [x.detach() for x in Case(COST).inputs(rows=100, units=784, device=cuda)]
    late = inputs[1].clone()
    inputs[1].zero_()
    torch.cuda.synchronize()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        inputs[1].copy_(late)
        cost, gradients = OPERATORS.ladder_denoising_cost(*inputs, 0b111111)
    side.synchronize()
    expected, others = OPERATORS.ladder_denoising_cost(*inputs, 0b111111)
    assert torch.equal(cost, expected)
    assert len(gradients) == 6 and all(map(torch.equal, gradients, others))


@pytest.mark.needs_gpu
def test_tensors_choose_the_device(cuda: torch.device) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")

    def results(device: torch.device | str) -> list[Tensor]:
        value, gradients = value_and_gradients(Case(COST), Case(COST).inputs(device=device))
        return [value, *gradients]

    second = results("cuda:1")
    assert torch.cuda.current_device() == 0
    assert all(x.device.index == 1 for x in second)
    for x, y in zip(results(cuda), second, strict=True):
        torch.testing.assert_close(y.to(cuda), x)

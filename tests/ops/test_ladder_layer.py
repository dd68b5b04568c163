"""The step between two dense layers: values, gradients, edges, and every way to call it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend

import ebgan_kernels as ek
from support.accuracy import assert_as_accurate_as_torch, error_in_ulp
from support.implementations import OperatorLog, device_of, interpreted
from support.ladder import incoming
from support.ladder_layer import (
    LAYERS,
    Inputs,
    Layer,
    assert_layer_close_to_float64,
    results_and_gradients,
    torch_results_and_gradients,
)

HALF, BRAIN, SINGLE, DOUBLE = torch.float16, torch.bfloat16, torch.float32, torch.float64
ALL = Layer(("noise", "beta", "gamma"))


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize(("rows", "units"), [(2, 1), (5, 300), (64, 64), (65, 81), (200, 9), (7, 0)], ids=str)
def test_few_and_many_rows_and_units(layer: Layer, rows: int, units: int, implementation: ek.Backend) -> None:
    assert_layer_close_to_float64(
        layer, layer.inputs(rows=rows, units=units, device=device_of(implementation))
    )


@pytest.mark.few_in_interpreter(layer=LAYERS[:1])
@pytest.mark.parametrize("layer", LAYERS[:3], ids=str)
def test_results_are_as_accurate_as_pytorch(layer: Layer, implementation: ek.Backend) -> None:
    ours, torchs, exacts = [], [], []
    for seed in range(3):
        inputs = layer.inputs(seed, rows=100, units=250, device=device_of(implementation))
        ours.append(results_and_gradients(layer, inputs))
        torchs.append(torch_results_and_gradients(layer, inputs, SINGLE))
        exacts.append(torch_results_and_gradients(layer, inputs, DOUBLE))
    for results in zip(*(zip(*seeds, strict=True) for seeds in (ours, torchs, exacts)), strict=True):
        # Where the terms of an element cancel, the digits that are left say nothing.
        whole = [exact.abs() >= 0.1 * exact.abs().max() for exact in results[2]]
        assert_as_accurate_as_torch(
            *([tensor[w] for tensor, w in zip(tensors, whole, strict=True)] for tensors in results)
        )


@pytest.mark.parametrize(
    "dtypes", [(HALF, HALF), (BRAIN, BRAIN), (BRAIN, SINGLE), (SINGLE, HALF), (HALF, BRAIN)], ids=str
)
@pytest.mark.parametrize("layer", [ALL, LAYERS[2]], ids=str)
def test_half_results_are_within_one_unit_in_the_last_place(
    layer: Layer, dtypes: tuple[torch.dtype, torch.dtype], implementation: ek.Backend
) -> None:
    inputs = layer.inputs(rows=9, units=20, dtypes=dtypes, device=device_of(implementation))
    assert_layer_close_to_float64(layer, inputs)
    exacts = torch_results_and_gradients(layer, inputs, DOUBLE)
    for ours, exact in zip(results_and_gradients(layer, inputs), exacts, strict=True):
        if ours.dtype != SINGLE:
            whole = exact.abs() > 1e-2 * exact.abs().max()
            assert error_in_ulp(ours[whole], exact[whole]).max() <= 1


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_float64_is_computed_in_float64(layer: Layer, implementation: ek.Backend) -> None:
    inputs = layer.inputs(rows=9, units=35, dtypes=(DOUBLE, DOUBLE), device=device_of(implementation))
    assert_layer_close_to_float64(layer, inputs)


@pytest.mark.parametrize("dtypes", [(SINGLE, SINGLE), (DOUBLE, DOUBLE), (BRAIN, HALF)], ids=str)
def test_each_instruction_set_is_right(instruction_set: str, dtypes: tuple[torch.dtype, torch.dtype]) -> None:
    for layer in (*LAYERS, ALL):
        assert_layer_close_to_float64(layer, layer.inputs(rows=70, units=149, dtypes=dtypes))


# The training step gives parts of a batch's noise, and takes parts of z.
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    "second_half_of_the_parts": lambda x: torch.cat([torch.zeros_like(x), x], -3)[..., x.shape[-3] :, :, :],
    "part_of_the_rows": lambda x: torch.cat([x, torch.zeros_like(x)], -2)[..., : x.shape[-2], :],
    "every_second_unit": lambda x: x.repeat_interleave(2, -1)[..., ::2],
    "units_first": lambda x: x.mT.contiguous().mT,
    "networks_last": lambda x: x.movedim(0, -1).contiguous().movedim(-1, 0),
    "storage_offset": lambda x: torch.cat([x.new_zeros(1), x.flatten()])[1:].view(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axes", [(3,), (2, 2), (2, 1, 2)], ids=str)
def test_any_stride_gives_the_same_result(
    layout: str, axes: tuple[int, ...], implementation: ek.Backend
) -> None:
    layer = Layer(axes=axes)
    inputs = layer.inputs(device=device_of(implementation))
    expected = results_and_gradients(layer, inputs)
    weights = [incoming(result) for result in layer(inputs)]
    for changed in ("x", "noise"):
        placed = inputs | {changed: LAYOUTS[layout](inputs[changed])}
        results = layer(placed)
        wanted = [tensor for tensor in inputs.values() if tensor.requires_grad]
        # The incoming gradients of a layer whose z is taken apart are laid out in other ways, too.
        placed_weights = [LAYOUTS[layout](each) if i < 2 else each for i, each in enumerate(weights)]
        found = [*results, *torch.autograd.grad(results, wanted, placed_weights)]
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("axes", [(5, 2), (2, 1, 3)], ids=str)
def test_networks_and_parts_side_by_side_equal_each_apart(
    axes: tuple[int, ...], implementation: ek.Backend
) -> None:
    layer = Layer(("noise", "beta", "gamma"), axes=axes)
    inputs = layer.inputs(device=device_of(implementation))
    together = layer(inputs)
    for index in torch.cartesian_prod(*map(torch.arange, axes)).tolist():
        network, at = tuple(index[:-1]), tuple(index)
        alone = {
            name: tensor[at][None] if name in ("x", "noise") else tensor[network]
            for name, tensor in inputs.items()
        }
        for one, all_ in zip(layer(alone), together, strict=True):
            torch.testing.assert_close(one[0], all_[at])


def test_a_result_that_nobody_uses_has_no_gradient(implementation: ek.Backend) -> None:
    for used in range(4):
        inputs = ALL.inputs(dtypes=(DOUBLE, DOUBLE), device=device_of(implementation))
        result = ALL(inputs)[used]
        wanted = [inputs[name] for name in ("x", "beta", "gamma")]
        found = torch.autograd.grad(
            result, wanted, incoming(result), allow_unused=True, materialize_grads=True
        )
        with ek.backend("reference"):
            expected = torch.autograd.grad(
                ALL(inputs)[used], wanted, incoming(result), allow_unused=True, materialize_grads=True
            )
        torch.testing.assert_close(found, expected)


def test_gradients_that_are_not_needed_take_no_memory(kernels: ek.Backend) -> None:
    inputs = ALL.inputs(device=device_of(kernels))
    complete = results_and_gradients(ALL, inputs)[4:]
    for wanted, name in enumerate(("x", "beta", "gamma")):
        alone = {each: tensor.detach().requires_grad_(each == name) for each, tensor in inputs.items()}
        results = ALL(alone)
        weights = [incoming(result) for result in results]
        with OperatorLog() as log:
            (gradient,) = torch.autograd.grad(results[:2], alone[name], weights[:2], retain_graph=True)
        assert log.results_of("ladder_layer_backward") == [(gradient.data_ptr(), gradient.numel())]
        if name != "x":  # which mean and std lead to, too
            torch.testing.assert_close(gradient, complete[wanted])
    with torch.no_grad():
        assert not any(result.requires_grad for result in ALL(inputs))


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_nan_and_infinity_go_where_they_go_in_pytorch(odd: float, implementation: ek.Backend) -> None:
    for name in ("x", "noise", "beta", "gamma"):
        for unit in (3, 18):  # 20 units are a vector and what is left of one
            inputs = ALL.inputs(units=20, device=device_of(implementation))
            with torch.no_grad():
                inputs[name].view(-1, 20)[0, unit] = odd
            torch.testing.assert_close(
                results_and_gradients(ALL, inputs),
                torch_results_and_gradients(ALL, inputs, SINGLE),
                equal_nan=True,
                rtol=1e-4,
                atol=1e-4,
            )


def test_units_that_do_not_vary_are_as_in_pytorch(implementation: ek.Backend) -> None:
    inputs = ALL.inputs(device=device_of(implementation))
    with torch.no_grad():
        inputs["x"][..., 4] = 8.0  # whose deviation is that of the constant, 1e-5
    assert_layer_close_to_float64(ALL, inputs)


def test_relu_has_slope_0_at_0(implementation: ek.Backend) -> None:
    device = device_of(implementation)
    x = torch.tensor([[[1.0], [3.0], [2.0]]], device=device)  # z of the last is 0
    beta = torch.zeros(1, device=device, requires_grad=True)
    layer = ek.ladder_layer(x, None, beta, activation="relu")
    layer.h.sum().backward()
    assert (layer.h[0, 2].item(), beta.grad.item()) == (0.0, 1.0)


@pytest.mark.parametrize("axes", [(0, 2), (2, 0)], ids=str)
def test_no_networks_and_no_parts(axes: tuple[int, ...], implementation: ek.Backend) -> None:
    layer = Layer(("noise", "beta", "gamma"), axes=axes)
    assert_layer_close_to_float64(layer, layer.inputs(device=device_of(implementation)))


@pytest.fixture
def _threads_restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("_threads_restored")
def test_the_same_bits_at_every_run_and_for_any_number_of_threads(kernels: ek.Backend) -> None:
    for layer in (ALL, LAYERS[2]):
        inputs = layer.inputs(rows=100, units=330, device=device_of(kernels))
        torch.set_num_threads(1)
        alone = results_and_gradients(layer, inputs)
        for threads in (1, 2, 3, 8):
            torch.set_num_threads(threads)
            assert all(map(torch.equal, results_and_gradients(layer, inputs), alone))


# --- derivatives of derivatives, torch.func, torch.compile, torch.export ---


@pytest.mark.parametrize("check", [torch.autograd.gradcheck, torch.autograd.gradgradcheck])
@pytest.mark.parametrize(
    "layer", [Layer((*ALL.given,), "none", (1, 2)), Layer(axes=(2,)), LAYERS[2]], ids=str
)
def test_derivatives_equal_finite_differences(
    layer: Layer, check: Callable[..., bool], implementation: ek.Backend
) -> None:
    inputs = layer.inputs(rows=3, units=2, dtypes=(DOUBLE, DOUBLE), device=device_of(implementation))
    names = [name for name in inputs if name != "noise"]

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        return tuple(layer(inputs | dict(zip(names, tensors, strict=True))))

    leaves = [inputs[name] for name in names]
    assert check(function, leaves, atol=1e-4, fast_mode=interpreted(implementation))


def penalty_gradients(layer: Layer, inputs: Inputs) -> tuple[Tensor, ...]:
    """The gradients of an R1 penalty, || d h / d x ||^2."""
    h = layer(inputs).h
    (gradient,) = torch.autograd.grad(h, inputs["x"], incoming(h), create_graph=True)
    wanted = [tensor for tensor in inputs.values() if tensor.requires_grad]
    return torch.autograd.grad(gradient.square().sum(), wanted, allow_unused=True, materialize_grads=True)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_a_gradient_penalty_equals_the_references(layer: Layer, kernels: ek.Backend) -> None:
    inputs = layer.inputs(dtypes=(DOUBLE, DOUBLE), device=device_of(kernels))
    ours = penalty_gradients(layer, inputs)
    with ek.backend("reference"):
        torch.testing.assert_close(ours, penalty_gradients(layer, inputs))
    assert ours[0].any()


def test_torch_func_equals_autograd(implementation: ek.Backend) -> None:
    inputs = ALL.inputs(dtypes=(DOUBLE, DOUBLE), device=device_of(implementation))
    wanted = {name: tensor.detach() for name, tensor in inputs.items() if name != "noise"}

    def total(tensors: Inputs) -> Tensor:
        return sum((incoming(result) * result).sum() for result in ALL(inputs | tensors))  # type: ignore[return-value]

    functional = torch.func.grad(total)(wanted)
    torch.testing.assert_close(list(functional.values()), results_and_gradients(ALL, inputs)[4:])
    mapped = torch.func.vmap(lambda *tensors: ALL(dict(zip(inputs, tensors, strict=True))))
    for ours, expected in zip(mapped(*inputs.values()), ALL(inputs), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("layer", LAYERS[:3], ids=str)
def test_compiled_forward_and_backward_equal_eager(layer: Layer, implementation: ek.Backend) -> None:
    torch._dynamo.reset()
    inputs = layer.inputs(device=device_of(implementation))
    counter = CompileCounterWithBackend("aot_eager")
    compiled = torch.compile(lambda inputs: layer(inputs), fullgraph=True, backend=counter)
    results = compiled(inputs)
    wanted = [tensor for tensor in inputs.values() if tensor.requires_grad]
    gradients = torch.autograd.grad(results, wanted, [incoming(result) for result in results])
    torch.testing.assert_close([*results, *gradients], results_and_gradients(layer, inputs))
    for rows in (7, 8, 9):
        other = layer.inputs(rows=rows, device=device_of(implementation))
        torch.testing.assert_close(compiled(other), layer(other))
    assert counter.frame_count <= 2


def test_an_exported_forward_equals_eager(implementation: ek.Backend) -> None:
    class Program(torch.nn.Module):
        def forward(self, inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
            return tuple(ALL(inputs))

    inputs = {name: tensor.detach() for name, tensor in ALL.inputs(device=device_of(implementation)).items()}
    with torch.no_grad():
        program = torch.export.export(Program(), (inputs,)).module()
        torch.testing.assert_close(program(inputs), tuple(ALL(inputs)))

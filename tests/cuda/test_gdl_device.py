"""The gradient-difference family on CUDA: edges of vectors and tiles, memory, streams, graphs, devices."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.native.gdl import REDUCTIONS
from support.accuracy import assert_within_one_ulp
from support.gdl import CASES, Case, torch_value_and_gradients, value_and_gradients

OPERATORS = torch.ops.ebgan_kernels
HALVES = (torch.float16, torch.bfloat16, torch.float32)
MIXES = [*product(HALVES, HALVES), (torch.float64, torch.float64)]
# Rows of whole vectors of 4 and rows that are not; planes of one block and of several; one slice a thread
# and strips of many. (leading axes, height, width)
PLANES = (
    (1, 2, 2), (3, 2, 4), (2, 5, 7), (1, 33, 12), (4, 31, 64), (1, 3, 1030), (96, 256, 256), (97, 255, 257),
)  # fmt: skip
VOLUMES = ((2, 2, 2), (3, 5, 4), (17, 6, 8), (96, 96, 96), (65, 33, 127))
# Around the tile of 64 x 64 (32 x 32 in float64) and its margin; of one plane and of many.
SCALED = (
    ((1, 1), (16, 16)),
    ((2, 3), (64, 64)),
    ((1, 2), (72, 136)),
    ((8, 24), (32, 32)),
    ((1, 3), (200, 48)),
)


def _assert_right(case: Case, inputs: Sequence[Tensor]) -> None:
    value, gradients = value_and_gradients(case, inputs)
    exact, exact_gradients = torch_value_and_gradients(case, inputs, torch.float64)
    tolerance = 1e-12 if value.dtype == torch.float64 else 3e-6
    torch.testing.assert_close(value.double(), exact, rtol=tolerance, atol=0)
    for gradient, exact_gradient in zip(gradients, exact_gradients, strict=True):
        if gradient.dtype in (torch.float16, torch.bfloat16):
            assert_within_one_ulp(gradient, exact_gradient)
        else:
            scale = exact_gradient.abs().max().item()
            torch.testing.assert_close(
                gradient.double(), exact_gradient, rtol=tolerance, atol=tolerance * scale
            )


@pytest.mark.parametrize("alpha", [1.0, 2.0, 1.5])
@pytest.mark.parametrize("plane", PLANES, ids=str)
def test_every_size_of_plane_is_right(cuda: torch.device, plane: tuple[int, int, int], alpha: float) -> None:
    _assert_right(Case(alpha=alpha), Case().inputs(leading=plane[:1], size=plane[1:], device=cuda))


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("volume", VOLUMES, ids=str)
def test_every_size_of_volume_is_right(
    cuda: torch.device, volume: tuple[int, int, int], reduction: str
) -> None:
    case = Case(p=2, spatial_dims=3, reduction=reduction)  # type: ignore[arg-type]
    inputs = Case().inputs(leading=(2, volume[0]), size=volume[1:], device=cuda)
    _assert_right(case, inputs)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("size", [(20, 36), (18, 22)], ids=str)
def test_every_option_is_right(cuda: torch.device, case: Case, size: tuple[int, int]) -> None:
    _assert_right(case, case.inputs(size=size, device=cuda))


@pytest.mark.parametrize("name", ["prediction_loss", "multiscale_prediction_loss"])
@pytest.mark.parametrize("dtypes", MIXES, ids=str)
def test_every_mix_of_dtypes_is_right(
    cuda: torch.device, dtypes: tuple[torch.dtype, torch.dtype], name: str
) -> None:
    for size in ((16, 24), (18, 22)):
        _assert_right(Case(name, p=2), Case(name).inputs(size=size, dtypes=dtypes, device=cuda))


@pytest.mark.parametrize("need_target", [False, True])
@pytest.mark.parametrize("offset", [0, 1])
def test_rows_need_not_start_on_a_vector(cuda: torch.device, offset: int, need_target: bool) -> None:
    aligned = [x.detach() for x in Case().inputs(leading=(5,), size=(9, 64), device=cuda)]
    inputs = [torch.cat([x.new_zeros(offset), x.flatten()])[offset:].view(x.shape) for x in aligned]
    arguments = (2, 1, 1.0, 0.75, 1.5, 0, 0b11 if need_target else 0b01)
    got = OPERATORS.prediction_loss(*inputs, *arguments)
    assert len(got[1]) == 1 + need_target
    torch.testing.assert_close(got, OPERATORS.prediction_loss(*aligned, *arguments), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("levels", [1, 2, 4, 5])
@pytest.mark.parametrize(("leading", "size"), SCALED, ids=str)
def test_every_number_of_scales_is_right(
    cuda: torch.device, leading: tuple[int, ...], size: tuple[int, int], levels: int
) -> None:
    if any(side % (1 << (levels - 1)) or side >> (levels - 1) < 2 for side in size):
        pytest.skip("a plane of this size has not so many scales")
    target = Case().inputs(leading=leading, size=size, device=cuda)[1].detach()
    predictions = [
        torch.randn(*leading, *(side >> k for side in size), device=cuda, requires_grad=True)
        for k in reversed(range(levels))
    ]
    exact = [x.detach().double().requires_grad_() for x in predictions]
    loss = ek.multiscale_prediction_loss(predictions, target, p=2, alpha=2.0)
    with ek.backend("reference"):
        expected = ek.multiscale_prediction_loss(exact, target.double(), p=2, alpha=2.0)
    torch.testing.assert_close(loss.double(), expected, rtol=3e-6, atol=0)
    pairs = zip(torch.autograd.grad(loss, predictions), torch.autograd.grad(expected, exact), strict=True)
    for gradient, of_exact in pairs:
        scale = of_exact.abs().max().item()
        torch.testing.assert_close(gradient.double(), of_exact, rtol=3e-6, atol=3e-6 * scale)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("levels", [2, 4, 7])
def test_a_pyramid_and_its_gradient_are_right(cuda: torch.device, levels: int, dtype: torch.dtype) -> None:
    x = torch.randn(3, 128, 192, device=cuda, dtype=torch.float64).to(dtype).requires_grad_()
    exact = x.detach().double().requires_grad_()
    pyramid = ek.average_pyramid(x, levels)
    with ek.backend("reference"):
        expected = ek.average_pyramid(exact, levels)
    weights = [torch.randn_like(level) for level in pyramid]
    tolerance = {torch.float32: 1e-6, torch.bfloat16: 8e-3, torch.float64: 1e-13}[dtype]
    for level, of_exact in zip(pyramid, expected, strict=True):
        torch.testing.assert_close(level.double(), of_exact, rtol=tolerance, atol=tolerance)
    (gradient,) = torch.autograd.grad(pyramid, x, weights)
    (of_exact,) = torch.autograd.grad(expected, exact, [weight.double() for weight in weights])
    torch.testing.assert_close(gradient.double(), of_exact, rtol=2 * tolerance, atol=2 * tolerance)


def _calls(cuda: torch.device, seed: int = 0) -> dict[str, tuple[Case, list[Tensor]]]:
    cases = {
        "planes": (Case(), (8, 3), (65, 64)),
        "volumes": (Case(spatial_dims=3), (2,), (33, 40)),
        "samples": (Case(reduction="none"), (8, 3), (33, 40)),
        "scales": (Case("multiscale_prediction_loss"), (8, 3), (72, 64)),
    }
    return {
        name: (case, case.inputs(seed, leading=leading, size=size, device=cuda))
        for name, (case, leading, size) in cases.items()
    }


NAMES = ("planes", "volumes", "samples", "scales")


def _step(case: Case, inputs: Sequence[Tensor]) -> list[Tensor]:
    """Loss and gradients, with an incoming gradient that is not 1."""
    loss = case(inputs)
    return [loss.detach(), *torch.autograd.grad(0.5 * loss.sum(), inputs)]


@pytest.mark.parametrize("name", NAMES)
def test_same_input_gives_the_same_bits(cuda: torch.device, name: str) -> None:
    case, inputs = _calls(cuda)[name]
    first = _step(case, inputs)
    for _ in range(3):
        assert all(map(torch.equal, _step(case, inputs), first))


@pytest.mark.needs_gpu
@pytest.mark.parametrize("name", NAMES)
def test_a_captured_step_replays_with_new_input(cuda: torch.device, name: str) -> None:
    case, inputs = _calls(cuda)[name]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        _step(case, inputs)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = _step(case, inputs)
    with torch.no_grad():
        for old, new in zip(inputs, _calls(cuda, seed=1)[name][1], strict=True):
            old.copy_(new)
    graph.replay()
    assert all(map(torch.equal, captured, _step(case, inputs)))


@pytest.mark.needs_gpu
@pytest.mark.parametrize("name", NAMES)
def test_work_goes_to_the_current_stream(cuda: torch.device, name: str) -> None:
    case, late = _calls(cuda, seed=1)[name]
    inputs = [torch.zeros_like(x, requires_grad=True) for x in late]
    torch.cuda.synchronize()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        with torch.no_grad():
            for old, new in zip(inputs, late, strict=True):
                old.copy_(new)
        got = _step(case, inputs)
    side.synchronize()
    assert all(map(torch.equal, got, _step(case, late)))


@pytest.mark.needs_gpu
@pytest.mark.parametrize("name", NAMES)
def test_the_host_never_waits_for_the_device(cuda: torch.device, name: str) -> None:
    case, inputs = _calls(cuda)[name]
    _step(case, inputs)
    torch.cuda.set_sync_debug_mode("error")
    try:
        _step(case, inputs)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.needs_gpu
@pytest.mark.parametrize("name", NAMES)
def test_tensors_choose_the_device(cuda: torch.device, name: str) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    case, inputs = _calls(cuda)[name]
    second = _step(case, [x.detach().to("cuda:1").requires_grad_() for x in inputs])
    assert torch.cuda.current_device() == 0
    assert all(x.device.index == 1 for x in second)
    for x, y in zip(_step(case, inputs), second, strict=True):
        torch.testing.assert_close(y.to(cuda), x)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("shape", [(32, 3, 256, 256), (5, 3, 31, 33)], ids=str)
def test_peak_memory_is_the_outputs_and_a_sum_for_every_block(
    cuda: torch.device, shape: tuple[int, ...]
) -> None:
    pair = [torch.rand(shape, device=cuda) for _ in range(2)]
    arguments = (*pair, 2, 1, 1.0, 1.0, 1.0, 0, 0b01)
    OPERATORS.prediction_loss(*arguments)
    torch.cuda.reset_peak_memory_stats(cuda)
    before = torch.cuda.memory_stats(cuda)["requested_bytes.all.current"]
    loss, (gradient,) = OPERATORS.prediction_loss(*arguments)
    peak = torch.cuda.memory_stats(cuda)["requested_bytes.all.peak"] - before
    results = sum(result.numel() * result.element_size() for result in (loss, gradient))
    assert results <= peak <= results + 4 * (pair[0].numel() // 256 + 1)


def _skip_without_memory(needed: int) -> None:
    free, _ = torch.cuda.mem_get_info()
    if free < needed:
        pytest.skip(f"needs {needed >> 30} GiB of free GPU memory, there are {free >> 30}")


@pytest.mark.needs_gpu
@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "spatial_dims"), [((1, 46_349, 46_352), 2), ((2**29 + 3, 2, 3), 2), ((3, 1031, 1024, 1024), 3)]
)
def test_more_elements_than_32_bits_count_are_right(
    cuda: torch.device, shape: tuple[int, ...], spatial_dims: int
) -> None:
    _skip_without_memory(8 * torch.Size(shape).numel())
    prediction, target = (torch.zeros(shape, dtype=torch.bfloat16, device=cuda) for _ in range(2))
    prediction.view(-1)[-1] = target.view(-1)[0] = 1.0
    arguments = (prediction, target, spatial_dims, 1, 1.0, 0.0, 1.0, REDUCTIONS["sum"], 0b01)
    loss, (gradient,) = OPERATORS.prediction_loss(*arguments)
    # A corner has a pair along each axis; of the target's, where the prediction is flat, no gradient comes.
    assert loss.item() == 2 * spatial_dims
    assert gradient.view(-1)[-1].item() == spatial_dims
    assert torch.count_nonzero(gradient).item() == 1 + spatial_dims


@pytest.mark.needs_gpu
@pytest.mark.slow
def test_a_pyramid_of_more_elements_than_32_bits_count_is_right(cuda: torch.device) -> None:
    side = 46_352
    _skip_without_memory(8 * side**2)
    x = torch.zeros(1, side, side, dtype=torch.bfloat16, device=cuda)
    x[..., -2:, -2:] = 1.0
    (half,) = OPERATORS.average_pyramid(x, 2)
    assert half[0, -1, -1].item() == 1.0 and torch.count_nonzero(half).item() == 1
    back = OPERATORS.average_pyramid_backward([half])
    assert (back[0, -2:, -2:] == 0.25).all() and torch.count_nonzero(back).item() == 4

"""The pulling-away term on CUDA: rows around the limits of a block, memory, streams, graphs, devices."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.pulling_away import codes, exact_loss_and_weights, gram_of

WEIGHTS = torch.ops.ebgan_kernels.pulling_away_weights
# Around the 8 rows of a block, the 32 lanes of a warp and the 1024 columns that are worked on at a time.
ROWS = (2, 3, 7, 8, 9, 31, 33, 256, 1023, 1024, 1025, 2049)


def _step(some: Tensor) -> list[Tensor]:
    """Loss and gradient, with an incoming gradient that is not 1."""
    loss = ek.pulling_away(some)
    return [loss.detach(), *torch.autograd.grad(0.5 * loss, some)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", ROWS)
def test_every_number_of_rows_is_right(cuda: torch.device, rows: int, dtype: torch.dtype) -> None:
    gram = gram_of(codes(rows, dtype=dtype, device=cuda))
    loss, weights = WEIGHTS(gram, True)
    exact_loss, exact_weights = exact_loss_and_weights(gram)
    tolerance = 1e-12 if dtype == torch.float64 else 3e-6
    torch.testing.assert_close(loss.double(), exact_loss, rtol=tolerance, atol=0)
    torch.testing.assert_close(weights.double(), exact_weights, rtol=tolerance, atol=0)
    without, none = WEIGHTS(gram, False)
    assert torch.equal(without, loss) and none.numel() == 0


def test_a_row_of_norm_zero_has_cosine_and_gradient_zero(cuda: torch.device) -> None:
    some = codes(6, device=cuda)
    some[2] = 0
    loss, weights = WEIGHTS(gram_of(some), True)
    assert loss > 0 and weights.isfinite().all()
    assert not weights[2].any() and not weights[:, 2].any()


@pytest.mark.parametrize("rows", [9, 1025])
def test_same_input_gives_the_same_bits(cuda: torch.device, rows: int) -> None:
    gram = gram_of(codes(rows, device=cuda))
    loss, weights = WEIGHTS(gram, True)
    for _ in range(3):
        assert all(map(torch.equal, WEIGHTS(gram, True), (loss, weights)))


@pytest.mark.needs_gpu
@pytest.mark.parametrize("rows", [7, 1025])
def test_peak_memory_is_the_outputs_and_a_sum_for_every_row(cuda: torch.device, rows: int) -> None:
    gram = gram_of(codes(rows, device=cuda))
    WEIGHTS(gram, True)
    torch.cuda.reset_peak_memory_stats(cuda)
    before = torch.cuda.memory_stats(cuda)["requested_bytes.all.current"]
    results = WEIGHTS(gram, True)
    peak = torch.cuda.memory_stats(cuda)["requested_bytes.all.peak"] - before
    outputs = sum(result.numel() * result.element_size() for result in results)
    assert outputs <= peak <= outputs + rows * gram.element_size()


@pytest.mark.needs_gpu
@pytest.mark.slow
def test_more_elements_than_32_bits_count_are_right(cuda: torch.device) -> None:
    rows = 46_349  # its square is more than 2^31
    free, _ = torch.cuda.mem_get_info()
    if free < 9 * rows**2:
        pytest.skip(f"needs {9 * rows**2 >> 30} GiB of free GPU memory, there are {free >> 30}")
    loss, weights = WEIGHTS(torch.ones(rows, rows, device=cuda), True)
    pairs = rows * (rows - 1)
    torch.testing.assert_close(loss.item(), 1.0, rtol=1e-6, atol=0)
    expected = torch.full((rows,), 4 / pairs, device=cuda)
    for row in (0, rows - 1):
        expected[row] = -4 / rows
        torch.testing.assert_close(weights[row], expected, rtol=1e-5, atol=0)
        expected[row] = 4 / pairs
    torch.testing.assert_close(weights.diagonal(), expected.fill_(-4 / rows), rtol=1e-5, atol=0)


@pytest.mark.needs_gpu
@pytest.mark.parametrize("shape", [(16, 512), (256, 64)])
def test_a_captured_step_replays_with_new_input(cuda: torch.device, shape: tuple[int, int]) -> None:
    some = torch.randn(shape, device=cuda, requires_grad=True)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        _step(some)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = _step(some)
    with torch.no_grad():
        some.normal_()
    graph.replay()
    torch.testing.assert_close(captured, _step(some), rtol=1e-5, atol=1e-9)


@pytest.mark.needs_gpu
def test_work_goes_to_the_current_stream(cuda: torch.device) -> None:
    gram, late = torch.eye(300, device=cuda), gram_of(codes(300, device=cuda))
    torch.cuda.synchronize()
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        gram.copy_(late)
        got = WEIGHTS(gram, True)
    side.synchronize()
    assert all(map(torch.equal, got, WEIGHTS(late, True)))


@pytest.mark.needs_gpu
@pytest.mark.parametrize("shape", [(16, 512), (256, 64)])
def test_the_host_never_waits_for_the_device(cuda: torch.device, shape: tuple[int, int]) -> None:
    some = torch.randn(shape, device=cuda, requires_grad=True)
    _step(some)
    torch.cuda.set_sync_debug_mode("error")
    try:
        _step(some)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.needs_gpu
def test_tensors_choose_the_device(cuda: torch.device) -> None:
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    gram = gram_of(codes(300, device=cuda))
    second = WEIGHTS(gram.to("cuda:1"), True)
    assert torch.cuda.current_device() == 0
    assert all(x.device.index == 1 for x in second)
    for x, y in zip(WEIGHTS(gram, True), second, strict=True):
        torch.testing.assert_close(y.to(cuda), x)

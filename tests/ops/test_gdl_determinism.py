"""The same bits at every run and for any number of threads, and right for each instruction set of the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.accuracy import assert_within_one_ulp
from support.gdl import CASES, FUNCTIONS, Case, torch_value_and_gradients, value_and_gradients
from support.implementations import device_of

# Of several bands each; the second with fewer volumes than threads, the third small enough to be interpreted.
BATCHES = [((5, 3), (140, 150)), ((1,), (300, 200)), ((2,), (34, 150))]
SMALL = [BATCHES[2][1]]
DEEP = Case(p=2, spatial_dims=3)


@pytest.fixture
def _threads_restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def bits(leading: tuple[int, ...], size: tuple[int, int], device: torch.device) -> list[Tensor]:
    results = []
    for case in (*FUNCTIONS, DEEP):
        inputs = case.inputs(leading=leading, size=size, device=device, grid=False)
        value, gradients = value_and_gradients(case, [*inputs[:-1], inputs[-1].detach()])
        results += [value, *gradients]
    return [*results, *ek.average_pyramid(inputs[0].detach(), 2)]


@pytest.mark.few_in_interpreter(size=SMALL)
@pytest.mark.parametrize(("leading", "size"), BATCHES)
def test_the_same_bits_at_every_run(
    leading: tuple[int, ...], size: tuple[int, int], kernels: ek.Backend
) -> None:
    first = bits(leading, size, device_of(kernels))
    for _ in range(3):
        assert all(map(torch.equal, bits(leading, size, device_of(kernels)), first))


@pytest.mark.few_in_interpreter(size=[])  # it has one thread
@pytest.mark.parametrize(("leading", "size"), BATCHES)
@pytest.mark.usefixtures("_threads_restored")
def test_the_same_bits_for_any_number_of_threads(
    leading: tuple[int, ...], size: tuple[int, int], kernels: ek.Backend
) -> None:
    torch.set_num_threads(1)
    alone = bits(leading, size, device_of(kernels))
    for threads in (2, 3, 8):
        torch.set_num_threads(threads)
        assert all(map(torch.equal, bits(leading, size, device_of(kernels)), alone))


def test_a_step_never_waits_for_the_device(kernels: ek.Backend) -> None:
    if device_of(kernels).type != "cuda":
        pytest.skip("only a CUDA device runs behind the host")
    for case in (*FUNCTIONS, DEEP):
        inputs = case.inputs(device="cuda")
        case(inputs).backward()  # the first call may load kernels
        try:
            torch.cuda.set_sync_debug_mode("error")
            (3 * case(inputs)).backward()
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(
    "dtypes",
    [
        (torch.float32, torch.float32),
        (torch.float64, torch.float64),
        (torch.float16, torch.bfloat16),
        (torch.bfloat16, torch.float32),
    ],
    ids=lambda pair: "-".join(str(dtype).removeprefix("torch.") for dtype in pair),
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_instruction_set_is_right(
    instruction_set: str, case: Case, dtypes: tuple[torch.dtype, torch.dtype]
) -> None:
    inputs = case.inputs(size=(22, 34), dtypes=dtypes)
    value, gradients = value_and_gradients(case, inputs)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, torch.float64)
    precision = 1e-12 if dtypes[0] == torch.float64 else 2e-6
    torch.testing.assert_close(value.double(), exact_value, rtol=precision, atol=0)
    for gradient, exact in zip(gradients, exact_gradients, strict=True):
        largest = exact.abs().max().item()
        if gradient.dtype.itemsize == 2:
            whole = exact.abs() > 1e-4 * largest
            assert_within_one_ulp(gradient[whole], exact[whole])
        else:
            torch.testing.assert_close(gradient.double(), exact, rtol=precision, atol=precision * largest)


@pytest.mark.parametrize("width", [256, 255])  # rows that begin at whole vectors, and ragged ones
def test_large_gradients_are_streamed_right(instruction_set: str, width: int) -> None:
    case = Case("gradient_difference_loss")
    prediction, target = case.inputs(leading=(4, 3), size=(256, width))  # 3 MB: beyond the caches
    target = target.detach()
    _, (gradient,) = value_and_gradients(case, [prediction, target])
    _, (exact,) = torch_value_and_gradients(case, [prediction, target], torch.float64)
    torch.testing.assert_close(gradient.double(), exact, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("case", [DEEP, Case(alpha=2.0, spatial_dims=3)], ids=str)
def test_tiles_of_a_volume_fit_together(instruction_set: str, case: Case) -> None:
    # 1.1 million elements: two tiles down and two through, each with slopes that come from the tile before.
    generator = torch.Generator().manual_seed(0)
    inputs = [
        (torch.randint(-128, 128, (40, 200, 140), generator=generator) / 64).requires_grad_()
        for _ in range(2)
    ]
    _, gradients = value_and_gradients(case, inputs)
    _, exact_gradients = torch_value_and_gradients(case, inputs, torch.float64)
    for gradient, exact in zip(gradients, exact_gradients, strict=True):
        torch.testing.assert_close(gradient.double(), exact, rtol=1e-5, atol=1e-5 * exact.abs().max().item())


def test_averages_are_right(instruction_set: str) -> None:
    x = torch.randn(2, 3, 40, 72)
    for ours, exact in zip(ek.average_pyramid(x, 4), ek.average_pyramid(x.double(), 4), strict=True):
        torch.testing.assert_close(ours.double(), exact, rtol=1e-6, atol=1e-7)

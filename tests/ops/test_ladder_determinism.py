"""The same bits at every run and for any number of threads, and right for each instruction set of the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

import ebgan_kernels as ek
from support.implementations import device_of
from support.ladder import (
    CASES,
    COMBINATOR,
    COST,
    FUNCTIONS,
    Case,
    assert_close_to_float64,
    value_and_gradients,
)

# Of several blocks of rows and tiles of units, and of several networks; the third for the interpreter.
SIZES = [((), 150, 784), ((5,), 70, 33), ((2,), 40, 33)]


@pytest.fixture
def _threads_restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def bits(leading: tuple[int, ...], rows: int, units: int, device: torch.device) -> list[Tensor]:
    results = []
    for name in (COST, COMBINATOR):
        case = Case(name, leading)
        value, gradients = value_and_gradients(case, case.inputs(rows=rows, units=units, device=device))
        results += [value, *gradients]
    return results


@pytest.mark.few_in_interpreter(rows=[40])
@pytest.mark.parametrize(("leading", "rows", "units"), SIZES, ids=str)
def test_the_same_bits_at_every_run(
    leading: tuple[int, ...], rows: int, units: int, kernels: ek.Backend
) -> None:
    first = bits(leading, rows, units, device_of(kernels))
    for _ in range(3):
        assert all(map(torch.equal, bits(leading, rows, units, device_of(kernels)), first))


@pytest.mark.few_in_interpreter(rows=[])  # it has one thread
@pytest.mark.parametrize(("leading", "rows", "units"), SIZES, ids=str)
@pytest.mark.usefixtures("_threads_restored")
def test_the_same_bits_for_any_number_of_threads(
    leading: tuple[int, ...], rows: int, units: int, kernels: ek.Backend
) -> None:
    torch.set_num_threads(1)
    alone = bits(leading, rows, units, device_of(kernels))
    for threads in (2, 3, 8):
        torch.set_num_threads(threads)
        assert all(map(torch.equal, bits(leading, rows, units, device_of(kernels)), alone))


def test_a_step_never_waits_for_the_device(kernels: ek.Backend) -> None:
    if device_of(kernels).type != "cuda":
        pytest.skip("only a CUDA device runs behind the host")
    for case in FUNCTIONS:
        inputs = case.inputs(device="cuda")
        case(inputs).sum().backward()  # the first call may load kernels
        try:
            torch.cuda.set_sync_debug_mode("error")
            (3 * case(inputs).sum()).backward()
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
    ids=str,
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_instruction_set_is_right(
    instruction_set: str, case: Case, dtypes: tuple[torch.dtype, torch.dtype]
) -> None:
    assert_close_to_float64(case, case.inputs(rows=70, units=45, dtypes=dtypes))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_exponential_is_right_from_end_to_end(instruction_set: str, dtype: torch.dtype) -> None:
    # z_hat = mu = sigmoid(u): one exponential and its neighbours; beyond -87 float32 has none.
    u = torch.linspace(-87 if dtype == torch.float32 else -700, 40, 4001).to(dtype)[None]
    parameters = torch.zeros(10, 4001, dtype=dtype).index_fill(0, torch.tensor([0, 1]), 1.0)
    found = ek.gaussian_combinator(torch.zeros_like(u), u, parameters)
    exact = torch.sigmoid(u.double())
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(
        found.double(), exact, rtol=2 * eps if dtype == torch.float32 else 6 * eps, atol=0
    )


@pytest.mark.parametrize("units", [1024, 1000, 1003])  # whole cache lines, whole vectors, and neither
def test_large_gradients_are_streamed_right(instruction_set: str, units: int) -> None:
    # 2.4 MB of gradients: beyond the caches
    assert_close_to_float64(Case(), Case().inputs(rows=200, units=units))

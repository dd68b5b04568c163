"""Operators in many threads, in forked workers and in a subinterpreter, and what they leave behind.

EBGAN_TEST_CALLS is the number of calls after which nothing may have been left (300; `make test-leaks` takes
10,000).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import ebgan_kernels as ek
from ebgan_kernels.selfcheck.cases import CASES
from support.memory import held, needs_counts

CALLS = int(os.environ.get("EBGAN_TEST_CALLS", "300"))
THREADS = 8


# The first case of each operator.
OPERATORS = {case.operator: case for case in reversed(CASES)}


# A CUDA build of torch refuses every backward pass in a process that was forked after one (2.10 to 2.14).
BACKWARD_AFTER_FORK = torch.version.cuda is None


def computed(name: str, seed: int = 0, backward: bool = True) -> list[Tensor]:
    """The first result of an operator, and its gradients, on tensors of the seed."""
    case = OPERATORS[name]
    tensors = case.tensors(seed, torch.device("cpu"))
    result = next(iter(case.results(tensors).values()))
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    if not backward:
        return [result.detach()]
    gradients = torch.autograd.grad(result.sum(), wanted, allow_unused=True)
    return [result.detach(), *(gradient for gradient in gradients if gradient is not None)]


def test_every_public_operator_is_among_those_that_are_tested() -> None:
    functions = {name for name in ek.__all__ if name.islower() and callable(getattr(ek, name))}
    assert set(OPERATORS) == functions - {"backend", "backend_report"}


@pytest.mark.parametrize("name", OPERATORS)
def test_many_threads_at_once_get_the_bits_of_one_after_another(name: str) -> None:
    seeds = list(range(4 * THREADS))
    expected = [computed(name, seed) for seed in seeds]
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda seed: computed(name, seed), seeds))
    for ours, theirs in zip(found, expected, strict=True):
        assert all(map(torch.equal, ours, theirs))


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Computing(Dataset[list[Tensor]]):
    """Examples that workers compute with the operators."""

    def __len__(self) -> int:
        return len(OPERATORS)

    def __getitem__(self, index: int) -> list[Tensor]:
        return computed(list(OPERATORS)[index], backward=BACKWARD_AFTER_FORK)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_workers_of_a_loader_get_the_bits_of_their_parent(one_thread: None) -> None:
    # Workers have one thread, and torch's own weight gradient of a convolution depends on their number.
    expected = [computed(name) for name in OPERATORS]  # the parent's threads have run before the fork
    loader = DataLoader(
        Computing(), batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=60
    )
    for ours, theirs in zip(loader, expected, strict=True):
        assert all(map(torch.equal, ours, theirs if BACKWARD_AFTER_FORK else theirs[:1]))


def test_in_a_subinterpreter_the_import_is_right_or_an_error_and_never_a_crash() -> None:
    script = (
        "import ebgan_kernels\n"
        "try: import _interpreters as interpreters\n"
        "except ImportError: import _xxsubinterpreters as interpreters\n"
        "other = interpreters.create()\n"
        "try: print(interpreters.run_string(other, 'import ebgan_kernels'))\n"
        "except Exception as error: print(type(error).__name__)\n"
        "print('done', flush=True); import os; os._exit(0)"
    )
    process = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0 and process.stdout.endswith("done\n"), process.stderr


@needs_counts
@pytest.mark.parametrize("name", OPERATORS)
def test_calls_leave_no_memory_behind(name: str) -> None:
    for _ in range(30):
        computed(name)
    before, objects = held()
    for _ in range(CALLS):
        computed(name)
    after, more = held()
    assert after - before < 16 * CALLS + (1 << 16) and more - objects < CALLS // 10

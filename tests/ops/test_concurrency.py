"""Operators in many threads, in forked workers and in a subinterpreter, and what they leave behind.

EBGAN_TEST_CALLS is the number of calls after which nothing may have been left (300; `make test-leaks` takes
10,000).
"""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

import ebgan_kernels as ek

CALLS = int(os.environ.get("EBGAN_TEST_CALLS", "300"))
THREADS = 8


def leaves(*shapes: tuple[int, ...], seed: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def first(result: Tensor | tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    return result if isinstance(result, Tensor) else result[0]


IMAGES = [(3, 2, 12, 16)] * 4
# Each operator on leaves of its own.
OPERATORS: dict[str, tuple[list[tuple[int, ...]], Callable[..., object]]] = {
    "reconstruction_energy": (IMAGES[:2], ek.reconstruction_energy),
    "hinge_margin_loss": ([(5,), (4,)], lambda a, b: ek.hinge_margin_loss(a, b, 1.0)),
    "discriminator_loss": (IMAGES, lambda *x: ek.discriminator_loss(*x, margin=25.0)),
    "generator_loss": ([*IMAGES[:2], (3, 5)], lambda a, b, codes: ek.generator_loss(a, b, codes=codes)),
    "pulling_away": ([(6, 8)], ek.pulling_away),
    "gradient_difference_loss": (IMAGES[:2], ek.gradient_difference_loss),
    "prediction_loss": (IMAGES[:2], ek.prediction_loss),
    "average_pyramid": (IMAGES[:1], lambda x: ek.average_pyramid(x, 3)),
    "multiscale_prediction_loss": (
        [(3, 2, 6, 8), IMAGES[0], IMAGES[0]],
        lambda a, b, target: ek.multiscale_prediction_loss([a, b], target),
    ),
    "valid_conv2d": ([IMAGES[0], (4, 2, 3, 3), (4,)], lambda *x: ek.valid_conv2d(*x, activation="relu")),
    "multiscale_valid_conv2d": (
        [IMAGES[0], (4, 2, 3, 3)],
        lambda x, weight: ek.multiscale_valid_conv2d([x], [weight], [None]),
    ),
    "gaussian_combinator": ([(5, 7), (5, 7), (10, 7)], ek.gaussian_combinator),
    "ladder_denoising_cost": (
        [(5, 7), (5, 7), (5, 7), (10, 7), (7,), (7,)],
        lambda *x: ek.ladder_denoising_cost(*x[:5], 1 + x[5].abs()),
    ),
    "ladder_layer": ([(2, 5, 7)], lambda x: ek.ladder_layer(x, activation="relu")),
}


def computed(name: str, seed: int = 0) -> list[Tensor]:
    """The result and the gradients of an operator."""
    shapes, operator = OPERATORS[name]
    tensors = leaves(*shapes, seed=seed)
    result = first(operator(*tensors))
    wanted = [tensor for tensor in tensors if name != "ladder_denoising_cost" or tensor.ndim > 1]
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


class Computing(Dataset[list[Tensor]]):
    """Examples that workers compute with the operators."""

    def __len__(self) -> int:
        return len(OPERATORS)

    def __getitem__(self, index: int) -> list[Tensor]:
        return computed(list(OPERATORS)[index])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forked_workers_of_a_loader_get_the_bits_of_their_parent() -> None:
    expected = [computed(name) for name in OPERATORS]  # the parent's threads have run before the fork
    loader = DataLoader(
        Computing(), batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=60
    )
    for ours, theirs in zip(loader, expected, strict=True):
        assert all(map(torch.equal, ours, theirs))


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


class MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ["arena", "ordblks", "smblks", "hblks", "hblkhd"]]
    _fields_ += [(name, ctypes.c_size_t) for name in ["usmblks", "fsmblks", "uordblks", "fordblks"]]
    _fields_ += [("keepcost", ctypes.c_size_t)]


def allocated() -> int:
    """Bytes that the C library has given out and not got back."""
    read = ctypes.CDLL(None).mallinfo2
    read.restype = MallInfo
    gc.collect()
    info = read()
    return int(info.uordblks + info.hblkhd)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="the C library does not count")
@pytest.mark.parametrize("name", OPERATORS)
def test_calls_leave_no_memory_behind(name: str) -> None:
    for _ in range(30):
        computed(name)
    before, objects = allocated(), len(gc.get_objects())
    for _ in range(CALLS):
        computed(name)
    grown = allocated() - before
    assert grown < 16 * CALLS + (1 << 16) and len(gc.get_objects()) - objects < CALLS // 10

"""Settings that every test shares, and which implementations a run is about.

Implementations need processes of their own: Triton's interpreter and the emulated CUDA kernels are
switched on by the environment. ``pytest --implementations triton`` runs the tests of one, and fails where
it cannot run; a test of no implementation belongs to ``reference``. Without the option every test is
collected, and those of an implementation that cannot run here are skipped.

Of a test that takes long in Triton's interpreter, the marker ``few_in_interpreter`` names all that runs
there, by parameter, as in ``@pytest.mark.few_in_interpreter(size=[(2, 2), (1500, 2)])``; the others are
deselected.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import torch

from support.implementations import (
    device_of,
    implementation_of,
    interpreted,
    left_out_in_interpreter,
    missing,
)

try:
    from hypothesis import settings
except ImportError:  # the GPU machine has none; modules that need it skip by pytest.importorskip
    pass
else:
    settings.register_profile(
        "ebgan",
        deadline=None,
        max_examples=10 if interpreted("triton") else 100,
        derandomize="CI" in os.environ,
        print_blob=True,
    )
    settings.load_profile("ebgan")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--implementations",
        metavar="NAME[,NAME]",
        help="run the tests of these implementations only, and refuse to run where one of them is missing",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name in _wanted(config) or ():
        if reason := missing(name):
            raise pytest.UsageError(f"--implementations: {name} cannot run here: {reason}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if device_of("cuda").type == "cpu":
        skip = pytest.mark.skip(
            reason="an emulated device has no streams, no graphs, no second device, no memory"
        )
        for item in items:
            if item.get_closest_marker("needs_gpu"):
                item.add_marker(skip)
    wanted = _wanted(config)
    kept, others = [], []
    for item in items:
        runs = (wanted is None or implementation_of(item) in wanted) and not left_out_in_interpreter(item)
        (kept if runs else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = kept


def _wanted(config: pytest.Config) -> list[str] | None:
    names: str | None = config.getoption("--implementations")
    return None if names is None else names.split(",")


@pytest.fixture(autouse=True)
def _fresh_random_numbers() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _interrupts_arrive() -> Iterator[None]:
    """Tests may run in the background, where a shell has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

"""Settings that every test shares."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import torch

try:
    from hypothesis import settings
except ImportError:  # the GPU machine has none; modules that need it skip by pytest.importorskip
    pass
else:
    settings.register_profile(
        "ebgan", deadline=None, max_examples=100, derandomize="CI" in os.environ, print_blob=True
    )
    settings.load_profile("ebgan")


@pytest.fixture(autouse=True)
def _fresh_random_numbers() -> None:
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _interrupts_arrive() -> Iterator[None]:
    """Tests may run in the background, where a shell has SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)

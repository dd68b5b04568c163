"""Settings that every test shares."""

from __future__ import annotations

import os

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

"""What the tests that run CUDA kernels for real share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from support.implementations import missing


@pytest.fixture
def cuda() -> Iterator[torch.device]:
    """The first CUDA device; skips, with the reason, where the kernels cannot run."""
    if reason := missing("cuda"):
        pytest.skip(f"cuda cannot run: {reason}")
    with ek.backend("cuda"):
        yield torch.device("cuda", 0)

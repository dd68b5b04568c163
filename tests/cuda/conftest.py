"""What the tests that run CUDA kernels share: the device, a GPU's or an emulated one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import ebgan_kernels as ek
from support.implementations import device_of, missing


@pytest.fixture
def cuda() -> Iterator[torch.device]:
    """Where the kernels' tensors lie; skips, with the report's reason, where the kernels cannot run."""
    if reason := missing("cuda"):
        pytest.skip(f"cuda cannot run: {reason}")
    with ek.backend("cuda"):
        yield device_of("cuda")

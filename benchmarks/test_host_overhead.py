"""Host time of one call on 16 elements, where nothing but checks, autograd and dispatch takes time.

    pytest benchmarks/test_host_overhead.py --benchmark-autosave --benchmark-compare

Run before and after a change; pytest-benchmark keeps the runs and compares them. Large inputs are
`bench_energy.py`'s matter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import ebgan_kernels
from benchmarks.operators import available_implementations
from ebgan_kernels import Backend

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
IMPLEMENTATIONS: tuple[Backend, ...] = ("reference", *available_implementations(DEVICE))


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("backward", [False, True], ids=["forward", "forward+backward"])
def test_discriminator_loss_of_16_elements(
    benchmark: Callable[..., Any], implementation: Backend, backward: bool
) -> None:
    reconstruction = torch.randn(4, 4, device=DEVICE, requires_grad=backward)
    images = torch.randn(4, 4, device=DEVICE)
    margin = torch.tensor(1.0, device=DEVICE)

    def call() -> torch.Tensor:
        reconstruction.grad = None
        loss = ebgan_kernels.discriminator_loss(
            reconstruction, images, reconstruction, images, margin=margin
        ).loss
        if backward:
            loss.backward()
        if DEVICE.type == "cuda":
            torch.cuda.synchronize()
        return loss

    with ebgan_kernels.backend(implementation):
        assert benchmark(call).isfinite()

"""A case of the self-check with a fault planted in every implementation but the reference."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ebgan_kernels.backends import BackendError, insisted
from ebgan_kernels.selfcheck import processes
from ebgan_kernels.selfcheck.case import Case

Fault = Literal[
    "gradient a little too large",
    "second gradient a little too large",
    "value not a number",
    "another dtype",
    "error",
    "refusal",
    "signal",
    "exit",
    "no end",
    "device lost",
]


class _WrongGradient(torch.autograd.Function):
    """The identity; its gradient is by a 200,000th too large, in one graph from its backward ``first`` on."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, first: int) -> Tensor:
        ctx.first, ctx.count = first, 0
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        ctx.count += 1
        return gradients[0] * (1 + 5e-6 * (ctx.count >= ctx.first)), None


@dataclass(frozen=True)
class FaultyCase(Case):
    """Goes to another process by its name, as every case does."""

    fault: Fault = "error"

    def results(self, tensors: Sequence[Tensor]) -> dict[str, Tensor]:
        results = super().results(tensors)
        if insisted() == "reference":
            return results
        if self.fault in ("gradient a little too large", "second gradient a little too large"):
            first = 2 if self.fault.startswith("second") else 1
            return {name: _WrongGradient.apply(result, first) for name, result in results.items()}
        if self.fault == "value not a number":
            return {name: result * torch.nan for name, result in results.items()}
        if self.fault == "another dtype":
            return {name: result.double() for name, result in results.items()}
        if self.fault == "refusal":
            raise BackendError("it refuses")
        if self.fault == "signal":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.fault == "exit":
            sys.stdout.flush()
            os._exit(7)
        if self.fault == "no end":
            time.sleep(600)
        if self.fault == "device lost":
            # What a kernel's illegal access does to CUDA, done to this process.
            processes._device_answers = lambda device: False
        raise RuntimeError("it fails\nwith many details")


def with_fault(case: Case, fault: Fault) -> FaultyCase:
    return FaultyCase(**vars(case), fault=fault)

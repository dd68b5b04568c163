"""The implementations as the tests meet them: where each runs, and why one cannot run here."""

from __future__ import annotations

import functools
import os
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

import ebgan_kernels as ek


@functools.cache
def missing(implementation: str) -> str:
    """ "" where the implementation runs on this machine, else the reason, in the words of the report."""
    for line in ek.backend_report().splitlines():
        name, _, state = line.partition(" ")
        if name == implementation:
            return "" if state.lstrip().startswith("available") else state.strip()
    raise AssertionError(f"the report has no line for {implementation}")


def implementation_of(test: pytest.Item) -> str:
    """The implementation that a test is about; "reference" where it is about none in particular."""
    parameters: dict[str, Any] = (
        test.callspec.params if isinstance(test, pytest.Function) and hasattr(test, "callspec") else {}
    )
    for fixture in ("implementation", "kernels"):
        if fixture in parameters:
            return str(parameters[fixture])
    if isinstance(test, pytest.Function) and "cuda" in test.fixturenames:
        return "cuda"
    return "triton" if "interpreter" in test.path.parts else "reference"


def device_of(implementation: str) -> torch.device:
    """The device whose tensors an implementation takes; Triton's interpreter takes CPU tensors."""
    if implementation == "cuda" or (implementation == "triton" and os.environ.get("TRITON_INTERPRET") != "1"):
        return torch.device("cuda")
    return torch.device("cpu")


class OperatorLog(TorchDispatchMode):
    """Records the operators that run inside it by name: `aten.clone`, `ebgan_kernels.scale_gradient_`.

    Triton's operators go by the name of the operator they implement. Of the results only address and size are
    kept: one more reference to a gradient, and AccumulateGrad would have to clone it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.results: list[list[tuple[int, int]]] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        tensors = result if isinstance(result, (tuple, list)) else (result,)
        self.names.append(str(func.overloadpacket).removesuffix("_triton"))
        self.results.append([(t.data_ptr(), t.numel()) for t in tensors if isinstance(t, Tensor)])
        return result

    def results_of(self, name: str) -> list[tuple[int, int]]:
        """Address and number of elements of each result of the first call of an operator."""
        return self.results[self.names.index(f"ebgan_kernels.{name}")]

"""The implementations as the tests meet them: which one a test is about, and the operators that it runs."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ebgan_kernels.backends import device_of, missing

__all__ = ["OperatorLog", "device_of", "implementation_of", "missing"]


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

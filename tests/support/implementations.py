"""The implementations as the tests meet them: which one a test is about, and the operators that it runs."""

from __future__ import annotations

from typing import Any

import pytest
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from ebgan_kernels.backends import device_of, missing

__all__ = ["OperatorLog", "device_of", "implementation_of", "missing"]


def _parameters(test: pytest.Item) -> dict[str, Any]:
    return test.callspec.params if hasattr(test, "callspec") else {}


def implementation_of(test: pytest.Item) -> str:
    """The implementation that a test is about; "reference" where it is about none in particular."""
    parameters = _parameters(test)
    for fixture in ("implementation", "kernels"):
        if fixture in parameters:
            return str(parameters[fixture])
    if isinstance(test, pytest.Function) and "cuda" in test.fixturenames:
        return "cuda"
    return "triton" if "interpreter" in test.path.parts else "reference"


def interpreted(implementation: str) -> bool:
    """Whether an implementation runs in Triton's interpreter, where a test that asks does less.

    Finite differences are taken along random directions there (``fast_mode``): element by element, those of
    one loss took more than a minute of processor time instead of 2 s.
    """
    return implementation == "triton" and device_of("triton").type == "cpu"


def left_out_in_interpreter(test: pytest.Item) -> bool:
    """Whether a test would be interpreted with parameters that its ``few_in_interpreter`` does not name."""
    few = test.get_closest_marker("few_in_interpreter")
    if few is None or not interpreted(implementation_of(test)):
        return False
    parameters = _parameters(test)
    for name, values in few.kwargs.items():
        if any(value not in _values_of(test, name) for value in values):
            raise ValueError(
                f"few_in_interpreter of {test.nodeid}: {name} is not parametrized with each of {values}"
            )
    return any(parameters[name] not in values for name, values in few.kwargs.items())


def _values_of(test: pytest.Item, name: str) -> list[object]:
    """What a test is parametrized with."""
    for mark in test.iter_markers("parametrize"):
        names, values = mark.args
        names = [each.strip() for each in names.split(",")] if isinstance(names, str) else names
        if name in names:
            return [value if len(names) == 1 else value[names.index(name)] for value in values]
    return []


def is_one_on_the_cpu(scale: Tensor) -> bool:
    """Whether a backward pass sees on the host that this incoming gradient leaves stored ones as they are."""
    return scale.is_cpu and scale.dim() == 0 and scale.item() == 1


class OperatorLog(TorchDispatchMode):
    """Records the operators that run inside it by name: `aten.clone`, `ebgan_kernels.scale_gradients_`.

    Triton's operators go by the name of the operator they implement. Of the results only address and size are
    kept: one more reference to a gradient, and AccumulateGrad would have to clone it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.results: list[Any] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.names.append(str(func.overloadpacket).removesuffix("_triton"))
        places = tree_map_only(Tensor, lambda tensor: (tensor.data_ptr(), tensor.numel()), result)
        self.results.append(places)
        return result

    def results_of(self, name: str) -> Any:
        """What the first call of an operator returned: for each tensor its address and number of elements."""
        return self.results[self.names.index(f"ebgan_kernels.{name}")]

"""The step between two dense layers of a ladder network: ways to call it, and inputs for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.reference.ladder import LayerActivation
from support.ladder import SINGLE, assert_rounding_apart, incoming

Inputs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Layer:
    """What is given beside x, the axes before its samples, and the activation."""

    given: tuple[str, ...] = ("noise", "beta")
    activation: LayerActivation = "relu"
    axes: tuple[int, ...] = (2, 3)

    def __str__(self) -> str:
        return "-".join((*self.given, self.activation, "x".join(map(str, self.axes))))

    def __call__(self, inputs: Inputs) -> ek.LadderLayer:
        return ek.ladder_layer(**inputs, activation=self.activation)

    def inputs(
        self,
        seed: int = 0,
        *,
        rows: int = 6,
        units: int = 10,
        dtypes: Sequence[torch.dtype] = (SINGLE, SINGLE),
        device: torch.device | str = "cpu",
    ) -> dict[str, Tensor]:
        """By name; x and the rest have the two dtypes; leaves but for the noise."""
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int) -> Tensor:
            return torch.randn(shape, generator=generator, dtype=torch.float64)

        of_units = (*self.axes[:-1], units)
        drawn = {
            "x": 3 * draw(*self.axes, rows, units) + draw(*self.axes, 1, units),
            "noise": 0.3 * draw(*self.axes, rows, units),
            "beta": draw(*of_units),
            "gamma": 1 + 0.5 * draw(*of_units),
        }
        return {
            name: drawn[name].to(device, dtypes[name != "x"]).requires_grad_(name != "noise")
            for name in ("x", *self.given)
        }


# The encoder's layers, its top, the decoder; and what is left.
LAYERS = [
    Layer(),
    Layer(("noise", "beta", "gamma"), "none"),
    Layer((), "none"),
    Layer(("beta",), axes=(3,)),
    Layer(("gamma",), axes=(2, 1, 2)),
    Layer(("noise",), "none", (3,)),
]


def results_and_gradients(layer: Layer, inputs: Inputs) -> list[Tensor]:
    """z, h, mean, std, and the gradients of x, beta and gamma where they are given."""
    results = layer(inputs)
    wanted = [tensor for tensor in inputs.values() if tensor.requires_grad]
    gradients = torch.autograd.grad(results, wanted, [incoming(result) for result in results])
    return [result.detach() for result in results] + list(gradients)


def torch_results_and_gradients(layer: Layer, inputs: Inputs, dtype: torch.dtype) -> list[Tensor]:
    """The same in plain PyTorch in `dtype`, of the inputs as rounded to their own; float64 is exact."""
    with ek.backend("reference"):
        return results_and_gradients(
            layer,
            {name: x.detach().to(dtype).requires_grad_(x.requires_grad) for name, x in inputs.items()},
        )


def assert_layer_close_to_float64(layer: Layer, inputs: Inputs) -> None:
    """Asserts results, gradients and their dtypes and shapes, of the implementation in force."""
    found = results_and_gradients(layer, inputs)
    exact = torch_results_and_gradients(layer, inputs, torch.float64)
    # The gradient of x is what is left of three terms that cancel: of (100, 784) PyTorch in float32 is 7.0e-7
    # from the exact one, whose largest element is 0.05.
    of_torch = torch_results_and_gradients(layer, inputs, SINGLE)
    x = inputs["x"]
    statistic = torch.float64 if x.dtype == torch.float64 else SINGLE
    dtypes = [x.dtype, x.dtype, statistic, statistic]
    dtypes += [tensor.dtype for tensor in inputs.values() if tensor.requires_grad]
    assert [tensor.dtype for tensor in found] == dtypes
    for ours, true, torchs in zip(found, exact, of_torch, strict=True):
        assert ours.shape == true.shape
        assert_rounding_apart(ours, true, torchs if ours.dtype == SINGLE else None)

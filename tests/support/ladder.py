"""The ladder functions as a table: each called alike, and inputs for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels as ek

SINGLE = torch.float32
COST, COMBINATOR = "ladder_denoising_cost", "gaussian_combinator"


@dataclass(frozen=True)
class Case:
    """A public function, and the leading axes of its inputs: those of a batch of networks."""

    name: str = COST
    leading: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}-{'x'.join(map(str, self.leading)) or 'one'}"

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        return (ek.gaussian_combinator if self.name == COMBINATOR else ek.ladder_denoising_cost)(*inputs)

    def inputs(
        self,
        seed: int = 0,
        *,
        rows: int = 6,
        units: int = 10,
        dtypes: Sequence[torch.dtype] = (SINGLE, SINGLE),
        device: torch.device | str = "cpu",
    ) -> list[Tensor]:
        """Leaves; `dtypes` are those of the first of each two: z_clean, z, u, parameters, mean, std in turn.

        The combinator takes z, u and parameters.
        """
        generator = torch.Generator().manual_seed(seed)
        shapes = [(rows, units)] * 3 + [(10, units), (units,), (units,)]
        drawn = [
            torch.randn((*self.leading, *shape), generator=generator, dtype=torch.float64) for shape in shapes
        ]
        drawn[-1] = drawn[-1].abs() + 0.5
        types = list(dtypes) * 3
        if self.name == COMBINATOR:
            drawn, types = drawn[1:4], types[1:4]
        return [x.to(device, dtype).requires_grad_() for x, dtype in zip(drawn, types, strict=True)]


CASES = [
    *(Case(COST, leading) for leading in ((), (3,), (2, 2))),
    *(Case(COMBINATOR, leading) for leading in ((), (3,), (2, 2))),
]
# One case a function, for properties that do not depend on the leading axes.
FUNCTIONS = [Case(COST, (2,)), Case(COMBINATOR, (2,))]


def incoming(result: Tensor) -> Tensor:
    """A gradient for a result: another number for each element, that every dtype has."""
    return (torch.arange(result.numel(), device=result.device) % 7 - 2).to(result.dtype).view(
        result.shape
    ) / 4


def value_and_gradients(case: Case, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The result, and the gradients for `incoming`, of the implementation in force."""
    result = case(inputs)
    wanted = [x for x in inputs if x.requires_grad]
    return result.detach(), list(torch.autograd.grad(result, wanted, incoming(result)))


def torch_value_and_gradients(
    case: Case, inputs: Sequence[Tensor], dtype: torch.dtype
) -> tuple[Tensor, list[Tensor]]:
    """The same in plain PyTorch in `dtype`, of the inputs as rounded to their own; float64 is exact."""
    with ek.backend("reference"):
        return value_and_gradients(
            case, [x.detach().to(dtype).requires_grad_(x.requires_grad) for x in inputs]
        )


def assert_close_to_float64(case: Case, inputs: Sequence[Tensor]) -> None:
    """Asserts value, gradients and their dtypes and shapes, of the implementation in force."""
    value, gradients = value_and_gradients(case, inputs)
    exact_value, exact_gradients = torch_value_and_gradients(case, inputs, torch.float64)
    for x, ours, exact in zip(inputs, gradients, exact_gradients, strict=True):
        assert ours.dtype == x.dtype and ours.shape == x.shape == exact.shape
    for ours, exact in zip((value, *gradients), (exact_value, *exact_gradients), strict=True):
        assert_rounding_apart(ours, exact)


def assert_rounding_apart(ours: Tensor, exact: Tensor, of_torch: Tensor | None = None) -> None:
    """Asserts that `exact`, in float64, differs from `ours` by no more than its rounding.

    Nor, if that is more, than by twice what `of_torch`, PyTorch's result in float32, differs at most.
    """
    info = torch.finfo(ours.dtype)
    # Several terms may cancel, so what is left of their rounding is absolute.
    accumulated = 1e-12 if ours.dtype == torch.float64 else 4e-6
    largest = float(exact.abs().max()) if exact.numel() else 0.0
    others = 0.0
    if of_torch is not None and exact.numel():
        others = 2 * float((of_torch.double() - exact).abs().max())
    torch.testing.assert_close(
        ours.double(),
        exact,
        rtol=max(accumulated, info.eps),
        atol=max(accumulated * largest, others) + info.smallest_normal * info.eps,
    )

"""The gradient-difference losses as a table: each with its options, called alike, and inputs for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

import ebgan_kernels as ek
from ebgan_kernels.ops.gdl import Power, SpatialDims
from ebgan_kernels.reference.gdl import Reduction

SINGLE = torch.float32


@dataclass(frozen=True)
class Case:
    """A public loss with its options; its inputs are a prediction, or those of two scales, and a target."""

    name: str = "prediction_loss"
    p: Power = 1
    alpha: float = 1.0
    lp_weight: float = 0.75
    gdl_weight: float = 1.5
    spatial_dims: SpatialDims = 2
    reduction: Reduction = "mean"

    def __str__(self) -> str:
        weights = f"{self.lp_weight:g}*l{self.p}+{self.gdl_weight:g}*gdl{self.alpha:g}"
        return f"{self.name}-{weights}-{self.spatial_dims}d-{self.reduction}"

    def __call__(self, inputs: Sequence[Tensor]) -> Tensor:
        if self.name == "gradient_difference_loss":
            return ek.gradient_difference_loss(
                *inputs, alpha=self.alpha, spatial_dims=self.spatial_dims, reduction=self.reduction
            )
        options = {
            "p": self.p,
            "alpha": self.alpha,
            "lp_weight": self.lp_weight,
            "gdl_weight": self.gdl_weight,
        }
        if self.name == "multiscale_prediction_loss":
            return ek.multiscale_prediction_loss(inputs[:-1], inputs[-1], scale_weights=[0.5, 2], **options)
        return ek.prediction_loss(
            *inputs, spatial_dims=self.spatial_dims, reduction=self.reduction, **options
        )

    def inputs(
        self,
        seed: int = 0,
        *,
        leading: Sequence[int] = (2, 3),
        size: Sequence[int] = (6, 10),
        dtypes: Sequence[torch.dtype] = (SINGLE, SINGLE),
        device: torch.device | str = "cpu",
        grid: bool = True,
    ) -> list[Tensor]:
        """Leaves in [-2, 2]; `dtypes` are those of the predictions and of the target.

        On the grid, multiples of 1/64, every difference is exact in every dtype, so that ties, of which there
        are many, are ties for all. Off it, a target is near its prediction.
        """
        generator = torch.Generator().manual_seed(seed)
        if self.spatial_dims == 3:
            size = (4, *size)
        sizes = [size]
        if self.name == "multiscale_prediction_loss":
            sizes = [[length // 2 for length in size], size]
        tensors = []
        for each in (*sizes, size):
            shape = (*leading, *each)
            if grid:
                tensors.append(torch.randint(-128, 128, shape, generator=generator) / 64)
            else:
                tensors.append(torch.randn(shape, generator=generator, dtype=torch.float64))
        if not grid:
            tensors[-1] = tensors[-2] + 0.3 * tensors[-1]
        types = [*[dtypes[0]] * (len(tensors) - 1), dtypes[1]]
        return [x.to(device, dtype).requires_grad_() for x, dtype in zip(tensors, types, strict=True)]


LOSSES = ("gradient_difference_loss", "prediction_loss", "multiscale_prediction_loss")
# One case a loss, for properties that do not depend on the options.
FUNCTIONS = [Case(name) for name in LOSSES]
ALPHAS = (1.0, 2.0, 1.5)
CASES = [
    *(Case("gradient_difference_loss", alpha=alpha) for alpha in ALPHAS),
    *(Case(p=p, alpha=alpha) for p in (1, 2) for alpha in ALPHAS),
    *(Case(reduction=reduction) for reduction in ("sum", "none")),
    *(Case(p=2, spatial_dims=3, reduction=reduction) for reduction in ("mean", "sum", "none")),
    Case("gradient_difference_loss", alpha=1.5, spatial_dims=3, reduction="none"),
    Case(p=2, gdl_weight=0.0),
    Case(p=1, gdl_weight=0.0, reduction="none"),
    Case("multiscale_prediction_loss"),
    Case("multiscale_prediction_loss", p=2, alpha=2.0),
    Case("multiscale_prediction_loss", alpha=1.5, lp_weight=0.0),
]


def value_and_gradients(case: Case, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The result, and the gradients of its sum, of the implementation in force."""
    result = case(inputs)
    wanted = [x for x in inputs if x.requires_grad]
    return result.detach(), list(torch.autograd.grad(result.sum(), wanted))


def torch_value_and_gradients(
    case: Case, inputs: Sequence[Tensor], dtype: torch.dtype
) -> tuple[Tensor, list[Tensor]]:
    """The same in plain PyTorch in `dtype`, of the inputs as rounded to their own; float64 is exact."""
    with ek.backend("reference"):
        return value_and_gradients(
            case, [x.detach().to(dtype).requires_grad_(x.requires_grad) for x in inputs]
        )

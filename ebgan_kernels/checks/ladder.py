"""What the ladder family asks of its arguments: see ``ebgan_kernels.checks``."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan_kernels.checks import MIXING, check_floating, check_together

_COMBINATOR_PARAMETERS = 10
_STATISTICS = ("mean", "std")


def check_combinator(z: Tensor, u: Tensor, parameters: Tensor) -> None:
    """z and u (..., N, D), parameters (..., 10, D)."""
    _check_units({"z": z, "u": u, "parameters": parameters})


def check_denoising_cost(
    z_clean: Tensor, z: Tensor, u: Tensor, parameters: Tensor, mean: Tensor, std: Tensor
) -> None:
    """Those of the combinator, z_clean (..., N, D), mean and std (..., D)."""
    _check_units({"z": z, "z_clean": z_clean, "u": u, "parameters": parameters, "mean": mean, "std": std})


def _check_units(tensors: dict[str, Tensor]) -> None:
    """Every other tensor has the shape that z gives it, z's device, and a dtype that mixes with z's."""
    z = tensors["z"]
    check_floating("z", z)
    if z.dim() < 2:
        raise ValueError(f"z has shape {tuple(z.shape)}; it must be (..., N, D): use z[None] for one row")
    shape, device = z.shape, z.device
    *leading, _, units = shape
    allowed = MIXING if z.dtype in MIXING else {torch.float64}
    of_parameters, of_statistics = (*leading, _COMBINATOR_PARAMETERS, units), (*leading, units)
    for name, tensor in tensors.items():
        if name == "parameters":
            expected, letters = of_parameters, f"(..., {_COMBINATOR_PARAMETERS}, D)"
        elif name in _STATISTICS:
            expected, letters = of_statistics, "(..., D)"
        else:
            expected, letters = shape, "(..., N, D)"
        if (
            isinstance(tensor, Tensor)
            and tensor.dtype in allowed
            and tensor.shape == expected
            and tensor.device == device
        ):
            continue
        check_floating(name, tensor)
        if tensor.shape != expected:
            raise ValueError(
                f"{name} has shape {tuple(tensor.shape)}; beside z of {tuple(shape)}, that is (..., N, D), it"
                f" must be {letters}, here {tuple(expected)} (nothing is broadcast): expand or reshape one of"
                " them"
            )
        check_together("z", z, name, tensor)


def rows_of_units(tensor: Tensor, leading: int) -> Tensor:
    """With the units side by side and one stride over the ``leading`` axes: as it is, or else a copy."""
    if tensor.is_contiguous() or (leading < 2 and tensor.stride(-1) == 1):
        return tensor
    return tensor.contiguous()

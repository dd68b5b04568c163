"""Checks of the ladder family's arguments; ``ebgan_kernels.checks`` holds what all families share."""

from __future__ import annotations

import torch
from torch import Tensor

from ebgan_kernels.checks import MIXING, check_floating, check_option, check_together, is_dense

_COMBINATOR_PARAMETERS = 10
_STATISTICS = ("mean", "std")


def check_combinator(z: Tensor, u: Tensor, parameters: Tensor) -> None:
    """Checks that z and u are (..., N, D) and parameters (..., 10, D)."""
    _check_units({"z": z, "u": u, "parameters": parameters})


def check_denoising_cost(
    z_clean: Tensor, z: Tensor, u: Tensor, parameters: Tensor, mean: Tensor, std: Tensor
) -> None:
    """Checks the combinator's arguments, and that z_clean is (..., N, D), mean and std (..., D)."""
    _check_units({"z": z, "z_clean": z_clean, "u": u, "parameters": parameters, "mean": mean, "std": std})


def check_layer(
    x: Tensor, noise: Tensor | None, beta: Tensor | None, gamma: Tensor | None, activation: str
) -> None:
    """Checks that x and noise are (..., P, N, D), N at least 2, and beta and gamma (..., D)."""
    check_option("activation", activation, ("none", "relu"))
    check_floating("x", x)
    shape = x.shape
    if x.dim() < 3:
        raise ValueError(f"x has shape {tuple(shape)}; it must be (..., P, N, D): use x[None] for one part")
    if shape[-2] < 2:
        raise ValueError(
            f"x has shape {tuple(shape)}, N = {shape[-2]}; the variance of a part needs at least 2 samples"
        )
    of_units = (*shape[:-3], shape[-1])
    if noise is not None:
        _check_beside("x", x, "(..., P, N, D)", "noise", noise, shape, "(..., P, N, D)")
        if noise.requires_grad:
            raise ValueError("noise requires a gradient, but none is computed for it; pass noise.detach()")
    if beta is not None:
        _check_beside("x", x, "(..., P, N, D)", "beta", beta, of_units, "(..., D)")
    if gamma is not None:
        _check_beside("x", x, "(..., P, N, D)", "gamma", gamma, of_units, "(..., D)")


def _check_units(tensors: dict[str, Tensor]) -> None:
    """Checks that every tensor has the shape that follows from z's, its device, and a dtype that mixes."""
    z = tensors["z"]
    check_floating("z", z)
    if z.dim() < 2:
        raise ValueError(f"z has shape {tuple(z.shape)}; it must be (..., N, D): use z[None] for one row")
    *leading, _, units = z.shape
    of_parameters, of_statistics = (*leading, _COMBINATOR_PARAMETERS, units), (*leading, units)
    for name, tensor in tensors.items():
        if name == "parameters":
            expected, letters = of_parameters, f"(..., {_COMBINATOR_PARAMETERS}, D)"
        elif name in _STATISTICS:
            expected, letters = of_statistics, "(..., D)"
        else:
            expected, letters = z.shape, "(..., N, D)"
        _check_beside("z", z, "(..., N, D)", name, tensor, expected, letters)


def _check_beside(
    first_name: str,
    first: Tensor,
    first_letters: str,
    name: str,
    tensor: Tensor,
    expected: tuple[int, ...],
    letters: str,
) -> None:
    """Checks that a tensor has the ``expected`` shape, the first one's device, and a dtype that mixes.

    ``first_letters`` and ``letters`` are the two shapes as the documentation writes them.
    """
    if (
        isinstance(tensor, Tensor)
        and is_dense(tensor)
        and (tensor.dtype in MIXING if first.dtype in MIXING else tensor.dtype == torch.float64)
        and tensor.shape == expected
        and tensor.device == first.device
    ):
        return
    check_floating(name, tensor)
    if tensor.shape != expected:
        raise ValueError(
            f"{name} has shape {tuple(tensor.shape)}; beside {first_name} of {tuple(first.shape)}, that is"
            f" {first_letters}, it must be {letters}, here {tuple(expected)} (nothing is broadcast): expand"
            " or reshape one of them"
        )
    check_together(first_name, first, name, tensor)


def rows_of_units(tensor: Tensor, leading: int) -> Tensor:
    """The tensor with units side by side and one stride over the ``leading`` axes, copied where needed."""
    if tensor.is_contiguous() or (leading < 2 and tensor.stride(-1) == 1):
        return tensor
    return tensor.contiguous()

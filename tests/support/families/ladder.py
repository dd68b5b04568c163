"""Operators of the family ladder with valid arguments, and its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import ebgan_kernels as ek
from support.arguments import UNITS

OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "gaussian_combinator": (
        ek.gaussian_combinator,
        {"z": UNITS, "u": UNITS, "parameters": torch.rand(10, 3)},
    ),
    "ladder_denoising_cost": (
        ek.ladder_denoising_cost,
        {"z_clean": UNITS, "z": UNITS, "u": UNITS, "parameters": torch.rand(10, 3)}
        | {"mean": torch.rand(3), "std": torch.ones(3)},
    ),
    "ladder_layer": (
        ek.ladder_layer,
        {"x": UNITS[None], "noise": UNITS[None], "beta": torch.rand(3), "gamma": torch.rand(3)},
    ),
}
MODULES: dict[type[nn.Module], Callable[[], nn.Module]] = {
    ek.GaussianCombinator: lambda: ek.GaussianCombinator(3),
}

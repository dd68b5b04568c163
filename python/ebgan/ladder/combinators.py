"""Combinators: how a decoder layer makes z_hat of the noisy activation z and the signal u from above.

All work unit by unit, with parameters (S, K, D) for S networks. Names and starts are those of the authors'
code of ladder networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn, sigmoid

import ebgan_kernels as ek
from ebgan.errors import UserError, one_of
from ebgan_kernels.ops.module import Module

CombinatorName = Literal[
    "gauss", "gauss_stable_v", "sig", "comparison_g2", "comparison_g3", "comparison_g4", "lin"
]


class Combinator(Module):
    """`combinator(z, u)` gives z_hat (S, N, D); `cost` the denoising cost (S,) of a layer."""

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        """The denoised z_hat (S, N, D) of the noisy activation z and the signal u from above, (S, N, D)."""
        raise NotImplementedError

    def cost(self, z_clean: Tensor, z: Tensor, u: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        """The mean square of z_clean less the standardised z_hat; `mean` and `std` (S, D) are of the clean
        activation before its normalisation.
        """
        standardised = (self(z, u) - mean.unsqueeze(-2)) / std.unsqueeze(-2)
        return (z_clean - standardised).square().mean((-2, -1))


class Gaussian(ek.GaussianCombinator, Combinator):
    """The paper's combinator, computed by the fused operators."""

    def cost(self, z_clean: Tensor, z: Tensor, u: Tensor, mean: Tensor, std: Tensor) -> Tensor:
        return ek.ladder_denoising_cost(z_clean, z, u, self.weight, mean, std)


class Form(NamedTuple):
    """A formula `function(z, u, p)` with `parameters` p, of which those in `ones` start at 1, others at 0."""

    function: Callable[[Tensor, Tensor, Sequence[Tensor]], Tensor]
    parameters: int
    ones: tuple[int, ...]


def _gauss_stable_v(z: Tensor, u: Tensor, p: Sequence[Tensor]) -> Tensor:
    mu = p[0] * sigmoid(p[1] * u + p[2]) + p[3] * u + p[4]
    return (z - mu) * sigmoid(p[5] * sigmoid(p[6] * u + p[7]) + p[8] * u + p[9]) + mu


def _branch(t: Tensor, p: Sequence[Tensor]) -> Tensor:
    return p[2] * sigmoid(p[1] + p[0] * t) + p[3] * t + p[4]


FORMS: dict[str, Form] = {
    "gauss_stable_v": Form(_gauss_stable_v, 10, (1, 6)),
    "sig": Form(
        lambda z, u, p: (
            p[0]
            + p[1] * z
            + p[2] * u
            + p[3] * z * u
            + p[4] * sigmoid(p[5] + p[6] * z + p[7] * u + p[8] * z * u)
        ),
        9,
        (1, 4, 6),
    ),
    "comparison_g2": Form(
        lambda z, u, p: p[0] + p[1] * z + p[2] * u + p[3] * sigmoid(p[4] + p[5] * z + p[6] * u), 7, (1, 3, 5)
    ),
    "comparison_g3": Form(lambda z, u, p: p[0] + p[1] * z + p[2] * u + p[3] * z * u, 4, (1,)),
    "comparison_g4": Form(lambda z, u, p: _branch(z, p[:5]) + _branch(u, p[5:]), 10, (0, 2, 5, 7)),
    "lin": Form(lambda z, u, p: p[0] * z + p[1], 2, (0,)),
}


class Elementwise(Combinator):
    """A combinator of any other form, in plain PyTorch.

    Args:
        name: the form, one of `FORMS`.
        networks: S, the number of networks.
        units: D, the units of the layer.
    """

    def __init__(self, name: str, networks: int, units: int) -> None:
        super().__init__()
        self.form = FORMS[name]
        start = torch.zeros(networks, self.form.parameters, units)
        start[:, list(self.form.ones)] = 1
        self.weight = nn.Parameter(start)

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        """The denoised z_hat (S, N, D).

        Args:
            z: (S, N, D), the noisy activation.
            u: (S, N, D), the signal from the layer above.
        """
        if z.shape != u.shape:
            raise UserError(f"u: got {tuple(u.shape)}, allowed is {tuple(z.shape)}, the shape of z")
        return self.form.function(z, u, self.weight.unsqueeze(-2).unbind(-3))


def combinator(name: CombinatorName, networks: int, units: int) -> Combinator:
    """The combinator called `name` for `networks` networks, of `units` units.

    Example:
        >>> z, u = torch.tensor([[[2.0]]]), torch.tensor([[[5.0]]])
        >>> combinator("gauss", 1, 1)(z, u).item(), combinator("comparison_g3", 1, 1)(z, u).item()
        (0.0, 2.0)
    """
    one_of("combinator", name, get_args(CombinatorName))
    return Gaussian(units, (networks,)) if name == "gauss" else Elementwise(name, networks, units)

"""The ladder family in plain PyTorch: its definition, the fallback, the test oracle and the baseline.

Every function here is differentiable by autograd to any order. Everything runs in float32 (float64 for
float64 input), also under autocast. Arguments have passed ``ebgan_kernels.checks``.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.reference.dtypes import accumulation

LayerActivation = Literal["none", "relu"]
LAYER_EPSILON = 1e-10


class LadderLayer(NamedTuple):
    """The result of :func:`ebgan_kernels.ladder_layer` for x (..., P, N, D).

    ``z`` is x normalised and corrupted, ``h`` is what the next layer takes, both (..., P, N, D). ``mean`` and
    ``std`` (..., P, D) are the mean and the divisor that normalised x.
    """

    z: Tensor
    h: Tensor
    mean: Tensor
    std: Tensor


def _combined(z: Tensor, u: Tensor, parameters: Tensor) -> Tensor:
    """The combinator's z_hat in the accumulation dtype."""
    z, u = accumulation(z), accumulation(u)
    a = accumulation(parameters).unsqueeze(-2).unbind(-3)  # ten tensors (..., 1, D); a1 is a[0]
    mu = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
    v = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
    return (z - mu) * v + mu


def gaussian_combinator(z: Tensor, u: Tensor, parameters: Tensor) -> Tensor:
    """The denoised z, in z's dtype: (..., N, D), (..., N, D), (..., 10, D) -> (..., N, D)."""
    return _combined(z, u, parameters).to(z.dtype)


def ladder_denoising_cost(
    z_clean: Tensor, z: Tensor, u: Tensor, parameters: Tensor, mean: Tensor, std: Tensor
) -> Tensor:
    """The mean square of z_clean minus the standardised z_hat: (..., N, D) -> (...)."""
    mean, std = accumulation(mean).unsqueeze(-2), accumulation(std).unsqueeze(-2)
    standardised = (_combined(z, u, parameters) - mean) / std
    return (accumulation(z_clean) - standardised).square().mean((-2, -1))


def ladder_layer(
    x: Tensor,
    noise: Tensor | None = None,
    beta: Tensor | None = None,
    gamma: Tensor | None = None,
    *,
    activation: LayerActivation = "none",
) -> LadderLayer:
    """One encoder layer: x, noise (..., P, N, D), beta, gamma (..., D) -> z, h, and mean, std (..., P, D)."""
    samples = accumulation(x)
    mean = samples.mean(-2, keepdim=True)
    centred = samples - mean
    std = (centred.square().mean(-2, keepdim=True) + LAYER_EPSILON).sqrt()
    z = h = centred / std
    if noise is not None:
        z = h = z + accumulation(noise)
    if beta is not None:
        h = h + accumulation(beta)[..., None, None, :]
    if gamma is not None:
        h = accumulation(gamma)[..., None, None, :] * h
    if activation == "relu":
        h = h.relu()
    rounded = z.to(x.dtype)
    return LadderLayer(rounded, rounded if h is z else h.to(x.dtype), mean.squeeze(-2), std.squeeze(-2))

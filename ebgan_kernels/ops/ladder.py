"""Ladder networks: a layer of the encoder, the Gaussian combinator, and the denoising cost.

Rasmus, Berglund, Honkala, Valpola, Raiko, "Semi-supervised learning with ladder networks", arXiv:1507.02672:
the encoder normalises and corrupts each layer; the decoder combines each noisy activation with a signal from
the layer above, and the cost is its distance from the clean activation. All functions take leading axes,
which number the networks of a batch.

Gradients of the cost are computed in its forward pass, in the same pass over the activations, and handed out
by the first backward pass; a second one over a retained graph computes them again. The layer and the
combinator have a backward pass of their own, and save their inputs (the layer its statistics too). Double
backward and ``torch.func`` transforms run the reference. Programs of ``torch.export`` are forward only:
they do not train.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ebgan_kernels.backends import select
from ebgan_kernels.checks.ladder import check_combinator, check_denoising_cost, check_layer
from ebgan_kernels.ops.gradients import Call, needed_gradients
from ebgan_kernels.ops.ladder_autograd import (
    GaussianCombinatorFunction,
    LadderDenoisingCostFunction,
    LadderLayerFunction,
)
from ebgan_kernels.ops.module import Module
from ebgan_kernels.reference import ladder as reference
from ebgan_kernels.reference.ladder import LadderLayer, LayerActivation


def ladder_layer(
    x: Tensor,
    noise: Tensor | None = None,
    beta: Tensor | None = None,
    gamma: Tensor | None = None,
    *,
    activation: LayerActivation = "none",
) -> LadderLayer:
    """The step between two dense layers of a ladder network: normalisation, noise, scale and activation.

    Each part of the batch is normalised by itself, as the labelled and the unlabelled half are::

        mean, std = mean of x over N, sqrt(variance of x over N + 1e-10)       the variance is the biased one
        z = (x - mean) / std + noise
        h = activation(gamma (z + beta))

    Args:
        x: (..., P, N, D), P parts of N samples of D units, as the dense layer gives them; leading axes number
            the networks of a batch. float16, bfloat16, float32 or float64.
        noise: of x's shape and device; its dtype may differ, but float64 goes only with float64. None adds no
            noise.
        beta, gamma: (..., D), one number for each unit of a network in all its parts; dtypes as noise. None
            stands for 0 and 1.
        activation: "none" or "relu".

    Returns:
        LadderLayer(z, h, mean, std): z and h (..., P, N, D) in x's dtype, computed in float32 (float64) and
        rounded once; mean and std (..., P, D) in float32 (float64). h is z itself without beta, gamma and
        activation.

    Gradients: from all four results, to x, beta and gamma, each in its own dtype; none to the noise.
    Errors: ValueError for shapes and devices, fewer than two samples (their variance is undefined), an
    unknown activation, noise that requires a gradient; TypeError for dtypes.
    Memory: the results. Until backward x is kept, as many elements as z has, with noise, mean and std;
    backward takes one buffer for each gradient asked for. A tensor whose units are not side by side is
    copied, and so is one that is not contiguous and has more than one axis before the parts.
    Source: arXiv:1507.02672, section 3 and algorithm 1; the constant 1e-10 is that of the authors' code.

    Example:
        >>> import torch, ebgan_kernels
        >>> x = torch.tensor([[[1.0], [3.0]], [[10.0], [30.0]]])  # two parts of two samples
        >>> ebgan_kernels.ladder_layer(x, activation="relu").h.flatten().tolist()
        [0.0, 1.0, 0.0, 1.0]
    """
    check_layer(x, noise, beta, gamma, activation)
    # Compiled, the reference is the slower one. The compiled step of two bottom ladders of MNIST takes 102 ms
    # with it and 87 with the kernel, in bfloat16 77 and 63. The kernels of combinator and cost gain nothing
    # beside it (AMD EPYC, 1 thread, medians of the processor's time, 2026-11-28).
    backend = select(x, fuses=False)
    if backend == "reference":
        return reference.ladder_layer(x, noise, beta, gamma, activation=activation)
    call = Call(backend, needed_gradients(x, beta, gamma), (activation == "relu",))
    z, mean, std, *h = LadderLayerFunction.apply(call, x, noise, beta, gamma)
    return LadderLayer(z, h[0] if h else z, mean, std)


def gaussian_combinator(z: Tensor, u: Tensor, parameters: Tensor) -> Tensor:
    """The Gaussian combinator of a ladder decoder: denoises z by a signal u from the layer above.

    ::

        mu    = a1 sigmoid(a2 u + a3) + a4 u + a5
        v     = a6 sigmoid(a7 u + a8) + a9 u + a10
        z_hat = (z - mu) v + mu

    Each unit has its own a1 to a10. z_hat = z where a10 = 1 and the rest is 0; z_hat = 0 where a2 = a7 = 1
    and the rest is 0, the usual start.

    Args:
        z: (..., N, D), N samples of D units, before beta and gamma; leading axes number the networks of a
            batch. float16, bfloat16, float32 or float64.
        u: (..., N, D), on the same device; its dtype may differ, but float64 goes only with float64.
        parameters: (..., 10, D), a1 to a10 of each unit; dtype as u.

    Returns:
        z_hat (..., N, D) in z's dtype, computed in float32 (float64) and rounded once.

    Gradients: to z, u and parameters, each in its own dtype.
    Errors: ValueError for shapes and devices, TypeError for dtypes.
    Memory: the result; backward one buffer for each gradient asked for. A tensor whose units are not side by
    side is copied, and so is one that is not contiguous and has more than one leading axis.
    Source: arXiv:1507.02672, section 4.1; the start is that of the authors' code.

    Example:
        >>> import torch, ebgan_kernels
        >>> parameters = torch.zeros(10, 2).index_fill(0, torch.tensor(9), 1.0)
        >>> ebgan_kernels.gaussian_combinator(torch.tensor([[3.0, -1.0]]), torch.ones(1, 2), parameters)
        tensor([[ 3., -1.]])
    """
    check_combinator(z, u, parameters)
    backend = select(z)
    if backend == "reference":
        return reference.gaussian_combinator(z, u, parameters)
    call = Call(backend, needed_gradients(z, u, parameters))
    return GaussianCombinatorFunction.apply(call, z, u, parameters)


def ladder_denoising_cost(
    z_clean: Tensor, z: Tensor, u: Tensor, parameters: Tensor, mean: Tensor, std: Tensor
) -> Tensor:
    """The denoising cost of a ladder layer: how far its denoised activation lies from the clean one.

    With z_hat of :func:`gaussian_combinator`::

        mean over samples of   sum over units of (z_clean - (z_hat - mean) / std)^2   / D

    The denoised activation is standardised as the clean one was. The caller applies the layer's weight. A
    layer that is not normalised, such as the input, takes mean 0 and std 1.

    Args:
        z_clean: (..., N, D), the clean activation after its normalisation. float16, bfloat16, float32 or
            float64.
        z, u, parameters: as in :func:`gaussian_combinator`.
        mean, std: (..., D), the statistics that normalised the clean activation: std is the divisor itself,
            sqrt(variance + epsilon), not the variance. Dtypes may differ, but float64 goes only with float64.

    Returns:
        (...), the cost of each network, 0-d without leading axes; float32 (float64 for float64 input). The
        cost of no samples is NaN, as a mean over nothing is in PyTorch.

    Gradients: to all six arguments, each in its own dtype; nothing is detached, not even z_clean.
    Errors: ValueError for shapes and devices, TypeError for dtypes.
    Memory: one buffer for each gradient asked for, from forward to backward; copies as in
    :func:`gaussian_combinator`.
    Source: arXiv:1507.02672, equation 4 and section 4.2.

    Example:
        >>> import torch, ebgan_kernels
        >>> parameters = torch.zeros(10, 2).index_fill(0, torch.tensor(9), 1.0)
        >>> z, u, mean, std = torch.ones(8, 2), torch.zeros(8, 2), torch.zeros(2), torch.full((2,), 0.5)
        >>> ebgan_kernels.ladder_denoising_cost(z, z, u, parameters, mean, std).item()
        1.0
    """
    check_denoising_cost(z_clean, z, u, parameters, mean, std)
    backend = select(z)
    tensors = (z_clean, z, u, parameters, mean, std)
    if backend == "reference":
        return reference.ladder_denoising_cost(*tensors)
    call = Call(backend, needed_gradients(*tensors))
    return LadderDenoisingCostFunction.apply(call, *tensors)


class GaussianCombinator(Module):
    """:func:`gaussian_combinator` as a module, with its parameters as ``weight`` (..., 10, D).

    The parameters start at a2 = a7 = 1 and 0 otherwise, as in the authors' code, so that z_hat is 0.

    Args:
        units: D, the number of units of the layer.
        leading: the sizes of the leading axes, for a batch of networks.
        device: the device of the weight.
        dtype: the dtype of the weight.

    Example:
        >>> import torch, ebgan_kernels
        >>> combinator = ebgan_kernels.GaussianCombinator(250)
        >>> combinator(torch.ones(8, 250), torch.ones(8, 250)).abs().max().item()
        0.0
    """

    def __init__(
        self,
        units: int,
        leading: tuple[int, ...] = (),
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(*leading, 10, units, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        with torch.no_grad():
            self.weight.zero_()
            self.weight[..., [1, 6], :] = 1

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        """The denoised z_hat (..., N, D).

        Args:
            z: (..., N, D), the noisy activations.
            u: (..., N, D), the signal from the layer above.
        """
        return gaussian_combinator(z, u, self.weight)

    def extra_repr(self) -> str:
        *leading, _, units = self.weight.shape
        return f"{units}, leading={tuple(leading)}" if leading else f"{units}"

"""Autograd of the ladder family; the public functions are in ``ebgan_kernels.ops.ladder``.

Every ``backward`` returns one gradient for each argument of ``forward``: those of the tensors, then None for
the options.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.checks.ladder import rows_of_units
from ebgan_kernels.native.ladder import packed_gradient
from ebgan_kernels.ops.gradients import (
    differentiated_again,
    operator,
    reference_gradients,
    scaled_in_place,
    stored_gradients,
)
from ebgan_kernels.reference import ladder as reference


class Options(NamedTuple):
    """What is not a tensor: the implementation, and which inputs need a gradient."""

    backend: Backend
    needed: tuple[bool, ...]


def _in_rows(tensors: tuple[Tensor, ...], leading: int) -> list[Tensor]:
    return [rows_of_units(tensor, leading) for tensor in tensors]


class GaussianCombinatorFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, u: Tensor, parameters: Tensor, options: Options) -> Tensor:
        inputs = (z, u, parameters)
        ctx.save_for_backward(*inputs)
        ctx.options = options
        denoised: Tensor = operator(options.backend, "gaussian_combinator")(*_in_rows(inputs, z.dim() - 2))
        return denoised

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        backend, needed = ctx.options
        inputs = ctx.saved_tensors
        if differentiated_again():
            return *reference_gradients(reference.gaussian_combinator, inputs, needed, grad), None
        gradients = operator(backend, "gaussian_combinator_backward")(
            *_in_rows((grad, *inputs), grad.dim() - 2), *needed
        )
        return *stored_gradients(gradients, needed), None


class LadderDenoisingCostFunction(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        z_clean: Tensor,
        z: Tensor,
        u: Tensor,
        parameters: Tensor,
        mean: Tensor,
        std: Tensor,
        options: Options,
    ) -> Tensor:
        inputs = (z_clean, z, u, parameters, mean, std)
        cost, *gradients = operator(options.backend, "ladder_denoising_cost")(
            *_in_rows(inputs, z.dim() - 2), *options.needed
        )
        ctx.save_for_backward(*inputs)
        ctx.options = options
        ctx.stored = stored_gradients(gradients, options.needed)
        return cost

    @staticmethod
    def backward(ctx: Any, grad_cost: Tensor) -> tuple[Tensor | None, ...]:
        backend, needed = ctx.options
        if differentiated_again():
            again = reference_gradients(reference.ladder_denoising_cost, ctx.saved_tensors, needed, grad_cost)
            return *again, None
        scale = grad_cost.flatten() if grad_cost.dim() > 1 else grad_cost
        stored, ctx.stored = ctx.stored, None
        if stored is not None and scaled_in_place(backend, stored, scale):
            return *stored, None
        inputs = _in_rows(ctx.saved_tensors, grad_cost.dim())
        buffers = [
            packed_gradient(tensor, need) if stored is None or stored[i] is None else stored[i]
            for i, (tensor, need) in enumerate(zip(inputs, needed, strict=True))
        ]
        operator(backend, "ladder_denoising_cost_backward_")(*buffers, scale, *inputs, stored is not None)
        return *stored_gradients(buffers, needed), None

"""Autograd of the ladder family; the public functions are in ``ebgan_kernels.ops.ladder``.

Every ``backward`` returns one gradient for each argument of ``forward``: those of the tensors, then None for
the options.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from ebgan_kernels.reference.ladder import LayerActivation


class Options(NamedTuple):
    """The arguments that are not tensors: the implementation, and which inputs need a gradient."""

    backend: Backend
    needed: tuple[bool, ...]


class LayerOptions(NamedTuple):
    """The arguments of a layer that are not tensors; ``needed`` is for x, beta and gamma, in that order."""

    backend: Backend
    activation: LayerActivation
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


class LadderLayerFunction(torch.autograd.Function):
    """Returns z, h, mean and std, without h where it equals z.

    x is saved, although z stays alive anyway: a z that is rounded to a half type does not give gradients that
    are right to the last place, and differentiating twice needs x.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        noise: Tensor | None,
        beta: Tensor | None,
        gamma: Tensor | None,
        options: LayerOptions,
    ) -> tuple[Tensor, ...]:
        inputs = _layer_rows((x, noise, beta, gamma), x)
        z, h, mean, std = operator(options.backend, "ladder_layer")(*inputs, options.activation == "relu")
        ctx.save_for_backward(x, noise, beta, gamma, mean, std)
        ctx.set_materialize_grads(False)
        ctx.options = options
        ctx.has_h = options.activation != "none" or beta is not None or gamma is not None
        return (z, h, mean, std) if ctx.has_h else (z, mean, std)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        options: LayerOptions = ctx.options
        x, noise, beta, gamma, mean, std = ctx.saved_tensors
        of_results = grads if ctx.has_h else (grads[0], None, *grads[1:])
        if differentiated_again():
            complete = [
                torch.zeros_like(result) if grad is None else grad
                for grad, result in zip(of_results, (x, x, mean, std), strict=True)
            ]
            return _layer_gradients_again((x, beta, gamma), noise, options, complete)
        gradients = operator(options.backend, "ladder_layer_backward")(
            *_layer_rows(of_results, x),
            *_layer_rows((x, noise, beta, gamma), x),
            mean,
            std,
            options.activation == "relu",
            *options.needed,
        )
        of_x, of_beta, of_gamma = stored_gradients(gradients, options.needed)
        return of_x, None, of_beta, of_gamma, None


def _layer_rows(tensors: Sequence[Tensor | None], x: Tensor) -> list[Tensor | None]:
    return [tensor if tensor is None else rows_of_units(tensor, x.dim() - 3) for tensor in tensors]


def _layer_gradients_again(
    inputs: Sequence[Tensor | None], noise: Tensor | None, options: LayerOptions, grads: Sequence[Tensor]
) -> tuple[Tensor | None, ...]:
    """The gradients that ``backward`` returns, computed by the reference with a graph of their own."""
    present = [tensor is not None for tensor in inputs]

    def results(*given: Tensor) -> tuple[Tensor, ...]:
        tensors = iter(given)
        x, beta, gamma = (next(tensors) if there else None for there in present)
        return reference.ladder_layer(x, noise, beta, gamma, activation=options.activation)  # type: ignore[arg-type]

    gradients = iter(
        reference_gradients(
            results,
            [tensor for tensor in inputs if tensor is not None],
            [need for need, there in zip(options.needed, present, strict=True) if there],
            grads,
        )
    )
    of_x, of_beta, of_gamma = (next(gradients) if there else None for there in present)
    return of_x, None, of_beta, of_gamma, None

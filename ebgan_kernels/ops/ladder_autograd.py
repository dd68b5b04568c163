"""Autograd of the ladder family; the public functions are in ``ebgan_kernels.ops.ladder``.

Every ``backward`` returns one gradient for each argument of ``forward``: None for the call, then those of the
tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.checks.ladder import rows_of_units
from ebgan_kernels.native.library import empty_packed, of_all
from ebgan_kernels.ops.gradients import (
    Call,
    Gradients,
    differentiated_again,
    fused_loss,
    operator,
    reference_gradients,
)
from ebgan_kernels.reference import ladder as reference
from ebgan_kernels.reference.ladder import LayerActivation


def _in_rows(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The tensors of a layer with z second, as the operators take them."""
    return tuple([rows_of_units(tensor, tensors[1].dim() - 2) for tensor in tensors])


class GaussianCombinatorFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, call: Call, z: Tensor, u: Tensor, parameters: Tensor) -> Tensor:
        ctx.save_for_backward(z, u, parameters)
        ctx.call = call
        denoised: Tensor = operator(call.backend, "gaussian_combinator")(
            *_in_rows((z, u)), rows_of_units(parameters, z.dim() - 2)
        )
        return denoised

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        backend, needed, _ = ctx.call
        if differentiated_again():
            inputs = ctx.saved_tensors
            return None, *reference_gradients(reference.gaussian_combinator, inputs, needed, grad)
        inputs = _in_rows((grad, *ctx.saved_tensors))
        gradients = operator(backend, "gaussian_combinator_backward")(*inputs, needed)
        return None, *of_all(gradients, needed, 3)


LadderDenoisingCostFunction = fused_loss(
    "ladder_denoising_cost",
    layout=_in_rows,
    reference=reference.ladder_denoising_cost,
    empty_one=empty_packed,
)


class LadderLayerFunction(torch.autograd.Function):
    """Returns z, mean and std, and h where it differs from z; the one option says whether h is rectified.

    x is saved, although z stays alive anyway: a z that is rounded to a half type does not give gradients that
    are right to the last place, and differentiating twice needs x.
    """

    @staticmethod
    def forward(
        ctx: Any,
        call: Call,
        x: Tensor,
        noise: Tensor | None,
        beta: Tensor | None,
        gamma: Tensor | None,
    ) -> tuple[Tensor, ...]:
        inputs = _layer_rows((x, noise, beta, gamma), x)
        z, mean, std, *h = operator(call.backend, "ladder_layer")(*inputs, *call.options)
        ctx.save_for_backward(x, noise, beta, gamma, mean, std)
        ctx.set_materialize_grads(False)
        ctx.call = call
        return z, mean, std, *h

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        backend, needed, (relu,) = ctx.call
        x, noise, beta, gamma, mean, std = ctx.saved_tensors
        grad_z, grad_mean, grad_std, grad_h = grads if len(grads) == 4 else (*grads, None)
        of_results = (grad_z, grad_h, grad_mean, grad_std)
        if differentiated_again():
            complete = [
                torch.zeros_like(result) if grad is None else grad
                for grad, result in zip(of_results, (x, x, mean, std), strict=True)
            ]
            gradients = _layer_gradients_again((x, beta, gamma), noise, ctx.call, complete)
        else:
            inputs = (*_layer_rows(of_results, x), *_layer_rows((x, noise, beta, gamma), x), mean, std)
            computed = operator(backend, "ladder_layer_backward")(*inputs, relu, needed)
            gradients = of_all(computed, needed, 3)
        of_x, of_beta, of_gamma = gradients
        return None, of_x, None, of_beta, of_gamma


def _layer_rows(tensors: Sequence[Tensor | None], x: Tensor) -> list[Tensor | None]:
    return [tensor if tensor is None else rows_of_units(tensor, x.dim() - 3) for tensor in tensors]


def _layer_gradients_again(
    inputs: Sequence[Tensor | None], noise: Tensor | None, call: Call, grads: Sequence[Tensor]
) -> Gradients:
    """The gradients of x, beta and gamma, computed by the reference with a graph of their own."""
    activation: LayerActivation = "relu" if call.options[0] else "none"
    places = [place for place, tensor in enumerate(inputs) if tensor is not None]
    needed = sum((call.needed >> place & 1) << i for i, place in enumerate(places))

    def results(*given: Tensor) -> tuple[Tensor, ...]:
        at = dict(zip(places, given, strict=True))
        return reference.ladder_layer(at[0], noise, at.get(1), at.get(2), activation=activation)

    gradients = reference_gradients(results, [inputs[place] for place in places], needed, grads)  # type: ignore[misc]
    found = dict(zip(places, gradients, strict=True))
    return [found.get(place) for place in range(len(inputs))]

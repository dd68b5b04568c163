"""Schemas and fake kernels of the ladder family: see ``ebgan_kernels.native.library`` for the mechanism.

Every implementation takes this layout: z_clean, z and u are (..., N, D), parameters (..., 10, D), mean and
std (..., D), with the same leading axes, which number the networks of a batch. The units of a row lie side by
side; rows may be any stride apart, and so may networks, with one stride over all leading axes
(``ebgan_kernels.checks.ladder.rows_of_units`` ensures it). A layer's x, noise, z and h are (..., P, N, D),
beta and gamma (..., D); the P parts of a network may be any stride apart. Results and gradients are packed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ebgan_kernels.native.library import define, empty_gradients, empty_packed, writes_in_place
from ebgan_kernels.reference.dtypes import accumulation_dtype

SCHEMAS = {
    # Returns z_hat in z's dtype, rounded once.
    "gaussian_combinator": "(Tensor z, Tensor u, Tensor parameters) -> Tensor",
    # Returns the needed ones of the gradients of z, u and parameters.
    "gaussian_combinator_backward": (
        "(Tensor grad, Tensor z, Tensor u, Tensor parameters, int needed) -> Tensor[]"
    ),
    # Returns the cost (...) in the accumulation dtype,
    # and the needed ones of the inputs' gradients for an incoming gradient of 1.
    "ladder_denoising_cost": (
        "(Tensor z_clean, Tensor z, Tensor u, Tensor parameters, Tensor mean, Tensor std, int needed)"
        " -> (Tensor, Tensor[])"
    ),
    # Writes the gradients of grad_cost * cost. grad_cost is in the accumulation dtype, 0-d or (networks,) of
    # any stride. `filled` says that they already hold those for grad_cost = 1, so that nothing is done for
    # networks whose grad_cost is 1.
    "ladder_denoising_cost_backward_": (
        "(Tensor(a!)[] gradients, Tensor grad_cost, Tensor z_clean, Tensor z, Tensor u, Tensor parameters,"
        " Tensor mean, Tensor std, int needed, bool filled) -> ()"
    ),
    # Returns z, mean and std, and h where it differs from z; mean and std are (..., P, D) in the accumulation
    # dtype.
    "ladder_layer": "(Tensor x, Tensor? noise, Tensor? beta, Tensor? gamma, bool relu) -> Tensor[]",
    # Returns the needed ones of the gradients of x, beta and gamma. An incoming gradient, of z, h, mean or
    # std, is None where it is 0.
    "ladder_layer_backward": (
        "(Tensor? grad_z, Tensor? grad_h, Tensor? grad_mean, Tensor? grad_std, Tensor x, Tensor? noise,"
        " Tensor? beta, Tensor? gamma, Tensor mean, Tensor std, bool relu, int needed) -> Tensor[]"
    ),
}


def _fake_combinator(z: Tensor, u: Tensor, parameters: Tensor) -> Tensor:
    return empty_packed(z)


def _fake_combinator_backward(
    grad: Tensor, z: Tensor, u: Tensor, parameters: Tensor, needed: int
) -> list[Tensor]:
    return empty_gradients((z, u, parameters), needed, empty_packed)


def _fake_cost(*arguments: Any) -> tuple[Tensor, list[Tensor]]:
    *inputs, needed = arguments
    z = inputs[1]
    return z.new_empty(z.shape[:-2], dtype=accumulation_dtype(z)), empty_gradients(
        inputs, needed, empty_packed
    )


def _fake_layer(
    x: Tensor, noise: Tensor | None, beta: Tensor | None, gamma: Tensor | None, relu: bool
) -> list[Tensor]:
    z = empty_packed(x)
    mean, std = (x.new_empty((*x.shape[:-2], x.shape[-1]), dtype=accumulation_dtype(x)) for _ in range(2))
    has_h = relu or beta is not None or gamma is not None
    return [z, mean, std, empty_packed(x)] if has_h else [z, mean, std]


def _fake_layer_backward(*arguments: Any) -> list[Tensor]:
    x, _, beta, gamma = arguments[4:8]
    tensors = (x, x if beta is None else beta, x if gamma is None else gamma)
    return empty_gradients(tensors, arguments[-1], empty_packed)


FAKES: dict[str, Callable[..., Any]] = {
    "gaussian_combinator": _fake_combinator,
    "gaussian_combinator_backward": _fake_combinator_backward,
    "ladder_denoising_cost": _fake_cost,
    "ladder_denoising_cost_backward_": writes_in_place,
    "ladder_layer": _fake_layer,
    "ladder_layer_backward": _fake_layer_backward,
}
define(SCHEMAS, FAKES)

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

from ebgan_kernels.native.library import accumulation_dtype, define

SCHEMAS = {
    # Returns z_hat in z's dtype, rounded once.
    "gaussian_combinator": "(Tensor z, Tensor u, Tensor parameters) -> Tensor",
    "gaussian_combinator_backward": (
        "(Tensor grad, Tensor z, Tensor u, Tensor parameters, bool need_z, bool need_u, bool need_parameters)"
        " -> (Tensor, Tensor, Tensor)"
    ),
    # Returns the cost (...) in the accumulation dtype, and the gradients for an incoming gradient of 1.
    "ladder_denoising_cost": (
        "(Tensor z_clean, Tensor z, Tensor u, Tensor parameters, Tensor mean, Tensor std, bool need_z_clean,"
        " bool need_z, bool need_u, bool need_parameters, bool need_mean, bool need_std)"
        " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"
    ),
    # Writes the gradients of grad_cost * cost into the buffers that have elements. grad_cost is in the
    # accumulation dtype, 0-d or (networks,) of any stride. `filled` says that the buffers already hold the
    # gradients for grad_cost = 1, so that nothing is done for networks whose grad_cost is 1.
    "ladder_denoising_cost_backward_": (
        "(Tensor(a!) grad_z_clean, Tensor(b!) grad_z, Tensor(c!) grad_u, Tensor(d!) grad_parameters,"
        " Tensor(e!) grad_mean, Tensor(f!) grad_std, Tensor grad_cost, Tensor z_clean, Tensor z, Tensor u,"
        " Tensor parameters, Tensor mean, Tensor std, bool filled) -> ()"
    ),
    # Returns z, h, mean and std. h has no elements where it equals z; mean and std are (..., P, D) in the
    # accumulation dtype.
    "ladder_layer": (
        "(Tensor x, Tensor? noise, Tensor? beta, Tensor? gamma, bool relu)"
        " -> (Tensor, Tensor, Tensor, Tensor)"
    ),
    # Returns the gradients of x, beta and gamma. An incoming gradient, of z, h, mean or std, is None where it
    # is 0.
    "ladder_layer_backward": (
        "(Tensor? grad_z, Tensor? grad_h, Tensor? grad_mean, Tensor? grad_std, Tensor x, Tensor? noise,"
        " Tensor? beta, Tensor? gamma, Tensor mean, Tensor std, bool relu, bool need_x, bool need_beta,"
        " bool need_gamma) -> (Tensor, Tensor, Tensor)"
    ),
}


def packed_gradient(tensor: Tensor, needed: bool) -> Tensor:
    """An uninitialised contiguous gradient of ``tensor``; it has no elements where it is not needed."""
    return tensor.new_empty(tensor.shape if needed else 0)


def _fake_combinator(z: Tensor, u: Tensor, parameters: Tensor) -> Tensor:
    return z.new_empty(z.shape)


def _fake_combinator_backward(
    grad: Tensor,
    z: Tensor,
    u: Tensor,
    parameters: Tensor,
    need_z: bool,
    need_u: bool,
    need_parameters: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    return (
        packed_gradient(z, need_z),
        packed_gradient(u, need_u),
        packed_gradient(parameters, need_parameters),
    )


def _fake_cost(
    z_clean: Tensor,
    z: Tensor,
    u: Tensor,
    parameters: Tensor,
    mean: Tensor,
    std: Tensor,
    need_z_clean: bool,
    need_z: bool,
    need_u: bool,
    need_parameters: bool,
    need_mean: bool,
    need_std: bool,
) -> tuple[Tensor, ...]:
    return (
        z.new_empty(z.shape[:-2], dtype=accumulation_dtype(z)),
        packed_gradient(z_clean, need_z_clean),
        packed_gradient(z, need_z),
        packed_gradient(u, need_u),
        packed_gradient(parameters, need_parameters),
        packed_gradient(mean, need_mean),
        packed_gradient(std, need_std),
    )


def _fake_cost_backward(*_: Any) -> None:
    """Writes in place."""


def _fake_layer(
    x: Tensor, noise: Tensor | None, beta: Tensor | None, gamma: Tensor | None, relu: bool
) -> tuple[Tensor, ...]:
    statistics = (*x.shape[:-2], x.shape[-1])
    has_h = relu or beta is not None or gamma is not None
    return (
        packed_gradient(x, True),
        packed_gradient(x, has_h),
        x.new_empty(statistics, dtype=accumulation_dtype(x)),
        x.new_empty(statistics, dtype=accumulation_dtype(x)),
    )


def _fake_layer_backward(
    grad_z: Tensor | None,
    grad_h: Tensor | None,
    grad_mean: Tensor | None,
    grad_std: Tensor | None,
    x: Tensor,
    noise: Tensor | None,
    beta: Tensor | None,
    gamma: Tensor | None,
    mean: Tensor,
    std: Tensor,
    relu: bool,
    need_x: bool,
    need_beta: bool,
    need_gamma: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    return (
        packed_gradient(x, need_x),
        packed_gradient(x if beta is None else beta, need_beta),
        packed_gradient(x if gamma is None else gamma, need_gamma),
    )


FAKES: dict[str, Callable[..., Any]] = {
    "gaussian_combinator": _fake_combinator,
    "gaussian_combinator_backward": _fake_combinator_backward,
    "ladder_denoising_cost": _fake_cost,
    "ladder_denoising_cost_backward_": _fake_cost_backward,
    "ladder_layer": _fake_layer,
    "ladder_layer_backward": _fake_layer_backward,
}
define(SCHEMAS, FAKES)

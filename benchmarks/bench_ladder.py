"""Ladder networks: `python -m benchmarks.bench_ladder [--quick] [--device cpu|cuda] [--output DIR]`.

The bottom layer of the published network, 784 units: a batch of 100, a larger one, and the batches of 15
networks side by side, one for each seed; of `ladder_layer` the widest layer, 1000 units, of the two parts of
one network's batch, and of 15 networks. All inputs but noise want a gradient, as in training.

The least traffic, in units of the N elements of z, beside rows of parameters and statistics:

                             forward              forward + backward
    ladder_denoising_cost    3 read               3 read, 3 written: cost and gradients in one pass
    gaussian_combinator      2 read, 1 written    5 read, 3 written: z_hat, then its gradients
    ladder_layer             2 read, 2 written    5 read, 3 written: z and h, then the gradient of x from h's
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

import ebgan_kernels
from benchmarks.command import open_session
from benchmarks.operators import (
    MODES,
    Case,
    Mode,
    Operator,
    byte_count,
    one_pass_bytes,
    read_or_copied,
    record_cases,
)
from ebgan_kernels.reference import ladder as reference

# The README and the pictures show these operators.
HEADLINE: tuple[str, ...] = ("ladder_denoising_cost", "ladder_layer")

SMALL, LARGE, NETWORKS = (100, 784), (1500, 784), (15, 100, 784)
PARTS, PARTS_OF_NETWORKS = (2, 100, 1000), (15, 2, 100, 1000)


def _combinator_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Noisy activations, a signal from above, and parameters on the way from their start."""
    *leading, _, units = shape
    z, u = torch.randn(2, *shape)
    parameters = 0.1 * torch.randn(*leading, 10, units)
    parameters[..., [1, 6], :] += 1
    return tuple(tensor.to(dtype).requires_grad_() for tensor in (z, u, parameters))


def _cost_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    *leading, _, units = shape
    mean, std = torch.randn(*leading, units), torch.rand(*leading, units) + 0.5
    clean, mean, std = (tensor.to(dtype).requires_grad_() for tensor in (torch.randn(shape), mean, std))
    return clean, *_combinator_arguments(shape, dtype), mean, std


def _combinator_stream(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    z, u, _ = arguments
    if mode == "forward":
        return torch.add(z, u)
    return torch.add(z, u), torch.addcmul(z, u, u), [tensor.clone() for tensor in arguments]


def _combinator_bytes(arguments: tuple[Tensor, ...], mode: Mode) -> int:
    result = byte_count(arguments[:1])
    if mode == "forward":
        return byte_count(arguments) + result
    return 3 * byte_count(arguments) + 2 * result


def _layer_arguments(shape: tuple[int, ...], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """The arguments of a layer: the results of a dense one, noise, and beta."""
    *leading, _, _, units = shape
    x, noise, beta = torch.randn(shape), 0.3 * torch.randn(shape), torch.randn(*leading, units)
    return x.to(dtype).requires_grad_(), noise.to(dtype), beta.to(dtype).requires_grad_()


def _plain_layer(x: Tensor, noise: Tensor, beta: Tensor) -> Tensor:
    return reference.ladder_layer(x, noise, beta, activation="relu").h


def _fused_layer(x: Tensor, noise: Tensor, beta: Tensor) -> Tensor:
    return ebgan_kernels.ladder_layer(x, noise, beta, activation="relu").h


def _layer_stream(arguments: tuple[Tensor, ...], mode: Mode) -> object:
    x, noise, _ = arguments
    h = torch.add(x, noise)
    if mode == "forward":
        return h, torch.zeros_like(x)
    return h, torch.zeros_like(x), torch.addcmul(x, noise, h)


def _layer_bytes(arguments: tuple[Tensor, ...], mode: Mode) -> int:
    x, _, beta = arguments
    statistics = 2 * 4 * x.numel() // x.shape[-2]
    forward = byte_count(arguments) + 2 * byte_count((x,)) + statistics
    if mode == "forward":
        return forward
    return forward + byte_count(arguments) + statistics + 2 * byte_count((x,)) + byte_count((beta,))


def _operator(
    name: str,
    arguments: Callable[[tuple[int, ...], torch.dtype], tuple[Tensor, ...]],
    stream: Callable[[tuple[Tensor, ...], Mode], object],
    count: Callable[[tuple[Tensor, ...], Mode], int],
    modes: tuple[Mode, ...],
) -> Operator:
    plain, fused = getattr(reference, name), getattr(ebgan_kernels, name)
    return Operator(name, arguments, plain, fused, stream, count, modes)


COST = _operator("ladder_denoising_cost", _cost_arguments, read_or_copied, one_pass_bytes, MODES)
COMBINATOR = _operator(
    "gaussian_combinator", _combinator_arguments, _combinator_stream, _combinator_bytes, MODES[:2]
)
LAYER = Operator(
    "ladder_layer", _layer_arguments, _plain_layer, _fused_layer, _layer_stream, _layer_bytes, MODES[:2]
)

# The most wanted first: a budget ends the run where it is spent.
CASES = (
    Case(COST, SMALL),
    Case(COST, LARGE),
    Case(COST, NETWORKS),
    Case(LAYER, PARTS),
    Case(LAYER, PARTS_OF_NETWORKS),
    Case(COMBINATOR, SMALL),
    Case(COMBINATOR, LARGE),
    Case(COST, LARGE, torch.bfloat16),
)
QUICK_CASES = (Case(COST, SMALL), Case(LAYER, PARTS), Case(COMBINATOR, SMALL))


if __name__ == "__main__":
    record_cases(open_session("ladder", __doc__), CASES, QUICK_CASES)

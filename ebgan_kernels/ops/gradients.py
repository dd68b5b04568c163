"""Functions that the backward passes of all families share.

A scalar loss computes its gradients in the forward pass, for an incoming gradient of 1, and hands each buffer
out once: backward takes it off ``ctx`` and scales it in place. A buffer that stayed on ``ctx`` would be
cloned by AccumulateGrad (8.2 against 5.1 ms, measured at 64x3x128x128 on a CPU while the library was
designed). A later backward pass through a retained graph computes the gradients again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.native import library

Gradients = list[Tensor | None]
_EXACT = (torch.float32, torch.float64)
_OPERATORS = {name: getattr(torch.ops.ebgan_kernels, name).default for name in library.defined}


def operator(backend: Backend, name: str) -> Callable[..., Any]:
    """The registered operator of an implementation; "cpu" and "cuda" are kernels of one operator."""
    if backend == "triton":
        return getattr(torch.ops.ebgan_kernels, name + "_triton").default
    return _OPERATORS[name]


def needed_gradients(*tensors: Tensor | None) -> tuple[bool, ...]:
    """For each tensor whether a backward pass can ask for its gradient; under ``no_grad`` it cannot."""
    if not torch.is_grad_enabled():
        return (False,) * len(tensors)
    return tuple([tensor is not None and tensor.requires_grad for tensor in tensors])


def differentiated_again() -> bool:
    """Whether a backward pass is itself recorded (``create_graph=True``), as an R1 penalty needs it.

    Gradients saved by the forward pass carry no graph, which ``once_differentiable`` would not notice; then
    the reference computes them.
    """
    return torch.is_grad_enabled() and not torch.compiler.is_compiling()


def reference_gradients(
    loss: Callable[..., Tensor | tuple[Tensor, ...]],
    inputs: Sequence[Tensor],
    needed: Sequence[bool],
    grad_loss: Tensor | Sequence[Tensor],
) -> Gradients:
    """The gradients of a function, with a graph of their own, for those inputs that need one.

    They are taken with respect to aliases of the inputs. One input may depend on another (a reconstruction on
    its target) or be the same tensor, and a backward pass returns only what reaches each input directly.
    """
    aliases = [tensor.view_as(tensor) for tensor in inputs]
    wanted = [alias for alias, need in zip(aliases, needed, strict=True) if need]
    gradients = iter(torch.autograd.grad(loss(*aliases), wanted, grad_loss, create_graph=True))
    return [next(gradients) if need else None for need in needed]


def stored_gradients(gradients: Sequence[Tensor], needed: Sequence[bool]) -> Gradients:
    """The gradients that a forward pass leaves on ``ctx``, with None for those that are not needed."""
    return [gradient if need else None for gradient, need in zip(gradients, needed, strict=True)]


def scaled_in_place(backend: Backend, stored: Gradients, scale: Tensor) -> bool:
    """Multiplies stored gradients by ``scale``; returns False, with nothing done, where that is not exact.

    The kernel itself tests whether ``scale`` is 1, so the host does not wait for its value. In float32 and
    float64 scaling is as exact as computing with the scale. A float16 gradient has lost its small values
    before a scale as large as GradScaler's 2^16 arrives, so gradients of half types must be computed again.
    """
    for gradient in stored:
        if gradient is not None and gradient.dtype not in _EXACT:
            return False
    scale_gradient = operator(backend, "scale_gradient_")
    for gradient in stored:
        if gradient is not None:
            scale_gradient(gradient, scale)
    return True

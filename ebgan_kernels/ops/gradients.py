"""Functions that the backward passes of all families share.

A scalar loss computes its gradients in the forward pass, for an incoming gradient of 1, and hands each buffer
out once: backward takes it off ``ctx`` and scales it in place. A buffer that stayed on ``ctx`` would be
cloned by AccumulateGrad (8.2 against 5.1 ms, measured at 64x3x128x128 on a CPU while the library was
designed). A later backward pass through a retained graph computes the gradients again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.native import library
from ebgan_kernels.native.library import empty_gradients, empty_samples, of_all

Gradients = list[Tensor | None]
_EXACT = (torch.float32, torch.float64)


class Call(NamedTuple):
    """The arguments that are not tensors: the implementation, which inputs need a gradient, and the options.

    The options are in the order of the operator's schema.
    """

    backend: Backend
    needed: tuple[bool, ...]
    options: tuple[Any, ...] = ()


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


def scaled_in_place(backend: Backend, stored: Sequence[Tensor], scale: Tensor) -> bool:
    """Multiplies stored gradients by ``scale``; returns False, with nothing done, where that is not exact.

    The kernel itself tests whether ``scale`` is 1, so the host does not wait for its value. In float32 and
    float64 scaling is as exact as computing with the scale. A float16 gradient has lost its small values
    before a scale as large as GradScaler's 2^16 arrives, so gradients of half types must be computed again.
    """
    for gradient in stored:
        if gradient.dtype not in _EXACT:
            return False
    operator(backend, "scale_gradients_")(stored, scale)
    return True


def fused_loss(
    name: str,
    *,
    layout: Callable[[Sequence[Any]], Sequence[Any]],
    reference: Callable[..., Tensor],
    empty_one: Callable[[Tensor], Tensor] = empty_samples,
) -> type[torch.autograd.Function]:
    """The autograd function of an operator that computes the gradients of a loss with the loss.

    Its ``apply`` takes a :class:`Call`, the inputs of which ``call.needed`` tells who needs a gradient, and
    the tensors that get none. It returns the operator's outputs; only the first, the loss, has a gradient.

    Args:
        name: the operator, of the schema ``(Tensor[] inputs, tensors, options, bool[] needed) -> (Tensor[]
            outputs, Tensor[] gradients)``. ``<name>_backward_`` writes gradients: ``(Tensor(a!)[] gradients,
            Tensor grad_loss, Tensor[] inputs, tensors, Tensor[] outputs, options, bool[] needed, bool
            filled)``. There ``outputs`` are all but the loss; without others there is no such argument.
        layout: brings the tensors into the layout that the operator takes.
        reference: the loss of ``(*inputs, *tensors, *options)``, for gradients of gradients.
        empty_one: a new gradient of an input in the operator's layout.
    """

    class FusedLoss(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, call: Call, *tensors: Tensor | None) -> tuple[Tensor, ...]:
            backend, needed, options = call
            given, count = layout(tensors), len(needed)
            outputs, gradients = operator(backend, name)(given[:count], *given[count:], *options, needed)
            others = outputs[1:]
            ctx.save_for_backward(*tensors, *others)
            ctx.set_materialize_grads(False)
            ctx.mark_non_differentiable(*others)
            ctx.call = call
            ctx.tensors = len(tensors)
            ctx.stored = gradients or None
            return tuple(outputs)

        @staticmethod
        def backward(ctx: Any, grad_loss: Tensor | None, *_: Tensor | None) -> tuple[Tensor | None, ...]:
            backend, needed, options = ctx.call
            count = len(needed)
            constants = (None,) * (ctx.tensors - count)
            if grad_loss is None:
                return (None,) * (1 + ctx.tensors)
            if differentiated_again():
                tensors = ctx.saved_tensors[: ctx.tensors]
                return None, *_again(reference, tensors, ctx.call, grad_loss), *constants
            scale = grad_loss.flatten() if grad_loss.dim() > 1 else grad_loss
            gradients, ctx.stored = ctx.stored, None
            if gradients is None or not scaled_in_place(backend, gradients, scale):
                filled = gradients is not None
                given = layout(ctx.saved_tensors[: ctx.tensors])
                inputs, others = given[:count], ctx.saved_tensors[ctx.tensors :]
                gradients = gradients or empty_gradients(inputs, needed, empty_one)
                saved = (others,) if others else ()
                operator(backend, name + "_backward_")(
                    gradients, scale, inputs, *given[count:], *saved, *options, needed, filled
                )
            return None, *of_all(gradients, needed), *constants

    return FusedLoss


def _again(
    reference: Callable[..., Tensor], tensors: Sequence[Tensor], call: Call, grad_loss: Tensor
) -> Gradients:
    """The gradients of a fused loss, computed by the reference with a graph of their own."""
    count = len(call.needed)

    def loss(*inputs: Tensor) -> Tensor:
        return reference(*inputs, *tensors[count:], *call.options)

    return reference_gradients(loss, tensors[:count], call.needed, grad_loss)

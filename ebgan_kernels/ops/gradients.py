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
    needed: int
    options: tuple[Any, ...] = ()


_OPERATORS = {name: getattr(torch.ops.ebgan_kernels, name).default for name in library.defined}


def operator(backend: Backend, name: str) -> Callable[..., Any]:
    """The registered operator of an implementation; "cpu" and "cuda" are kernels of one operator."""
    if backend == "triton":
        return getattr(torch.ops.ebgan_kernels, name + "_triton").default
    return _OPERATORS[name]


def needed_gradients(*tensors: Tensor | None) -> int:
    """Bit i says whether a backward pass can ask for the gradient of tensor i; with ``no_grad`` all are 0."""
    needed = 0
    if torch.is_grad_enabled():
        for i, tensor in enumerate(tensors):
            if tensor is not None and tensor.requires_grad:
                needed |= 1 << i
    return needed


def differentiated_again() -> bool:
    """Whether a backward pass is itself recorded (``create_graph=True``), as an R1 penalty needs it.

    Gradients saved by the forward pass carry no graph, which ``once_differentiable`` would not notice; then
    the reference computes them.
    """
    return torch.is_grad_enabled() and not torch.compiler.is_compiling()


def reference_gradients(
    loss: Callable[..., Tensor | tuple[Tensor, ...]],
    inputs: Sequence[Tensor],
    needed: int,
    grad_loss: Tensor | Sequence[Tensor],
) -> Gradients:
    """The gradients of a function, with a graph of their own, for those inputs that need one.

    They are taken with respect to aliases of the inputs. One input may depend on another (a reconstruction on
    its target) or be the same tensor, and a backward pass returns only what reaches each input directly.
    """
    aliases = [tensor.view_as(tensor) for tensor in inputs]
    wanted = [alias for i, alias in enumerate(aliases) if needed >> i & 1]
    gradients = torch.autograd.grad(loss(*aliases), wanted, grad_loss, create_graph=True)
    return of_all(gradients, needed, len(inputs))


def scaled_in_place(backend: Backend, gradients: Sequence[Tensor], scale: Tensor) -> bool:
    """Multiplies stored gradients by ``scale``; returns False, with nothing done, where that is not exact.

    The kernel itself tests whether ``scale`` is 1, so the host does not wait for its value. On the CPU, where
    there is no wait, this function does, in a third of the time. In float32 and float64 scaling is as exact
    as computing with the scale. A float16 gradient has lost its small values before a scale as large as
    GradScaler's 2^16 arrives, so gradients of half types must be computed again.
    """
    if scale.is_cpu and scale.dim() == 0 and not torch.compiler.is_compiling() and scale.item() == 1:
        return True
    for gradient in gradients:
        if gradient.dtype not in _EXACT:
            return False
    operator(backend, "scale_gradients_")(gradients, scale)
    return True


def fused_loss(
    name: str,
    *,
    others: int = 0,
    returns_others: bool = False,
    layout: Callable[[Sequence[Any]], tuple[Any, ...]],
    constants: int = 0,
    reference: Callable[..., Tensor],
    empty_one: Callable[[Tensor], Tensor] = empty_samples,
) -> type[torch.autograd.Function]:
    """The autograd function of an operator that computes the gradients of a loss with the loss.

    Its ``apply`` takes a :class:`Call`, the inputs, and the tensors that get no gradient.

    Args:
        name: the operator, of the schema ``(tensors, options, int needed) -> (Tensor loss, Tensor[]
            results)``; results are other outputs, then the gradients that are needed. ``<name>_backward_``
            writes gradients: ``(Tensor(a!)[] gradients, Tensor grad_loss, tensors, Tensor[] others, options,
            int needed, bool filled)``, without ``others`` where there are none.
        others: the number of the operator's outputs beside the loss.
        returns_others: whether they are returned, behind the loss; they have no gradient.
        layout: brings the tensors into the operator's layout, as its arguments before the options.
        constants: how many of the tensors, the last ones, get no gradient.
        reference: the loss of ``(*inputs, *tensors, *options)``, for gradients of gradients.
        empty_one: a new gradient of an input in the operator's layout.
    """
    native = _OPERATORS[name]

    class FusedLoss(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *arguments: Any) -> Tensor | tuple[Tensor, ...]:
            # Two parameters: dynamo leaves ctx out where there are as many as arguments without it.
            call, *tensors = arguments
            backend, needed, options = call
            run = native if backend != "triton" else operator(backend, name)
            loss, results = run(*layout(tensors), *options, needed)
            ctx.call, ctx.stored, beside = call, results, results[:others]
            ctx.save_for_backward(*tensors, *beside)
            if not returns_others:
                return loss
            ctx.set_materialize_grads(False)
            ctx.mark_non_differentiable(*beside)
            return loss, *beside

        @staticmethod
        def backward(ctx: Any, grad_loss: Tensor | None, *_: Tensor | None) -> tuple[Tensor | None, ...]:
            total = len(ctx.needs_input_grad) - 1
            if grad_loss is None:
                return (None,) * (1 + total)
            if differentiated_again():
                return None, *_again(reference, ctx.saved_tensors[:total], constants, ctx.call, grad_loss)
            scale = grad_loss.flatten() if grad_loss.dim() > 1 else grad_loss
            results, ctx.stored = ctx.stored, None
            gradients = results[others:] if results is not None else None
            if not gradients or not scaled_in_place(ctx.call.backend, gradients, scale):
                gradients = _computed(ctx, gradients, scale, total)
            return None, *of_all(gradients, ctx.call.needed, total)

    def _computed(ctx: Any, stored: list[Tensor] | None, scale: Tensor, total: int) -> list[Tensor]:
        """The gradients for an incoming gradient, in the memory of the stored ones or in new one."""
        backend, needed, options = ctx.call
        tensors = layout(ctx.saved_tensors[:total])
        saved = (ctx.saved_tensors[total:],) if others else ()
        gradients = stored or empty_gradients(_flat(tensors), needed, empty_one)
        operator(backend, name + "_backward_")(
            gradients, scale, *tensors, *saved, *options, needed, bool(stored)
        )
        return gradients

    return FusedLoss


def _flat(arguments: Sequence[Tensor | Sequence[Tensor] | None]) -> list[Tensor]:
    """The tensors of an operator's arguments, in order."""
    lists = [[argument] if isinstance(argument, Tensor) else argument or () for argument in arguments]
    return [tensor for of_argument in lists for tensor in of_argument]


def _again(
    reference: Callable[..., Tensor], tensors: Sequence[Tensor], constants: int, call: Call, grad_loss: Tensor
) -> Gradients:
    """The gradients of a fused loss, computed by the reference with a graph of their own."""
    count = len(tensors) - constants

    def loss(*inputs: Tensor) -> Tensor:
        return reference(*inputs, *tensors[count:], *call.options)

    gradients = reference_gradients(loss, tensors[:count], call.needed, grad_loss)
    return [*gradients, *[None] * constants]

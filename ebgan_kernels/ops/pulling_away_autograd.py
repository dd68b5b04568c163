"""Autograd of the pulling-away term; the public function is in ``ebgan_kernels.ops.pulling_away``.

There are two forms, for N <= d and N > d; both take codes (N, d) in the accumulation dtype. With a process
group a form communicates once, in its forward pass. Its backward pass multiplies the gradient by the number
of processes, because DistributedDataParallel averages gradients that should be added up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from ebgan_kernels.backends import Backend
from ebgan_kernels.ops.gradients import differentiated_again, operator, reference_gradients
from ebgan_kernels.reference import pulling_away as reference

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


class Processes(NamedTuple):
    """The processes that share a global batch: their group, the rank of this one, and their number."""

    group: ProcessGroup | None = None
    rank: int = 0
    size: int = 1


class Options(NamedTuple):
    """The arguments that are not tensors: the implementation, whether a gradient is needed, the processes."""

    backend: Backend
    needed: bool
    processes: Processes


def _weights_of(backend: Backend) -> Callable[[Tensor, bool], tuple[Tensor, Tensor]]:
    if backend == "reference":
        return reference.pulling_away_weights
    return operator(backend, "pulling_away_weights")


def _gathered(codes: Tensor, processes: Processes) -> Tensor:
    """The codes of the global batch, in the order of the ranks."""
    if processes.group is None:
        return codes
    everyone = codes.new_empty(processes.size * codes.shape[0], codes.shape[1])
    new = "all_gather_single"  # since torch 2.13, which warns of the old name
    gather = getattr(torch.distributed, new if hasattr(torch.distributed, new) else "all_gather_into_tensor")
    gather(everyone, codes.contiguous(), group=processes.group)
    return everyone


def _summed(gram: Tensor, nonzero: Tensor, processes: Processes) -> tuple[Tensor, Tensor]:
    """The Gram matrix and the number of nonzero rows of the global batch, from one collective."""
    if processes.group is None:
        return gram, nonzero
    together = torch.cat([gram.flatten(), nonzero.to(gram.dtype)[None]])
    torch.distributed.all_reduce(together, group=processes.group)
    return together[:-1].view_as(gram), together[-1]


class SampleGramFunction(torch.autograd.Function):
    """The form for N <= d: the Gram matrix of the samples, and the gradient as weights times codes."""

    @staticmethod
    def forward(ctx: Any, codes: Tensor, options: Options) -> Tensor:
        everyone = _gathered(codes, options.processes)
        with reference.without_autocast(codes):
            gram = torch.mm(everyone, everyone.mT)
        loss, weights = _weights_of(options.backend)(gram, options.needed)
        first = options.processes.rank * codes.shape[0]
        own = weights[first : first + codes.shape[0]]
        ctx.save_for_backward(*((codes, own) if options.processes.group is None else (codes, own, everyone)))
        ctx.options = options
        return loss

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        codes, weights, *gathered = ctx.saved_tensors
        everyone = gathered[0] if gathered else codes
        processes = ctx.options.processes
        if processes.size > 1:
            grad_loss = grad_loss * processes.size
        if differentiated_again():
            first = processes.rank * codes.shape[0]
            others = everyone[:first], everyone[first + codes.shape[0] :]
            return *reference_gradients(
                lambda own: reference.pulling_away(torch.cat([others[0], own, others[1]])),
                (codes,),
                1,
                grad_loss,
            ), None
        # The weights (N, N) take the incoming gradient, because codes and gradient (N, d) are larger.
        with reference.without_autocast(codes):
            return torch.mm(weights * grad_loss, everyone), None


class FeatureGramFunction(torch.autograd.Function):
    """The form for N > d: the Gram matrix of the features of normalised rows.

    The gradient goes through the normalisation. All operations are torch's, whichever implementation is
    requested.
    """

    @staticmethod
    def forward(ctx: Any, codes: Tensor, options: Options) -> Tensor:
        norm = reference.norms(codes)
        normalised = codes / norm
        with reference.without_autocast(codes):
            own = torch.mm(normalised.mT, normalised)
        gram, nonzero = _summed(own, norm.isfinite().sum(), options.processes)
        others = () if options.processes.group is None else (gram - own, nonzero)
        if options.needed:
            ctx.save_for_backward(codes, norm, normalised, gram, *others)
        ctx.options = options
        ctx.rows = codes.shape[0] * options.processes.size
        return reference.feature_loss(gram, nonzero, ctx.rows)

    @staticmethod
    def backward(ctx: Any, grad_loss: Tensor) -> tuple[Tensor | None, ...]:
        codes, norm, normalised, gram, *others = ctx.saved_tensors
        rows, processes = ctx.rows, ctx.options.processes
        if differentiated_again():
            return *reference_gradients(
                lambda own: _feature_reference(own, others, rows),
                (codes,),
                1,
                grad_loss * processes.size,
            ), None
        scale = grad_loss * (4 * processes.size / (rows * (rows - 1)))
        with reference.without_autocast(codes):
            toward = torch.mm(normalised, gram * scale)
        along = (toward * normalised).sum(1, keepdim=True)
        return torch.addcmul(toward, along, normalised, value=-1).div_(norm), None


def _feature_reference(codes: Tensor, others: list[Tensor], rows: int) -> Tensor:
    """The term as a function of this process's codes; the Gram matrix of the others is a constant."""
    if not others:
        return reference.pulling_away(codes)
    normalised = codes / reference.norms(codes)
    with reference.without_autocast(codes):
        return reference.feature_loss(others[0] + normalised.mT @ normalised, others[1], rows)

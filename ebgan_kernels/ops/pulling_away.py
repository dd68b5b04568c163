"""The pulling-away term of EBGAN-PT, which keeps the generator's samples from looking alike.

Zhao, Mathieu, LeCun, "Energy-based Generative Adversarial Network", arXiv:1609.03126, section 2.4.

The term takes two matrix products with one kernel between them. The Gram matrix of the codes holds norms and
cosines; the kernel computes the loss and the weights of its gradient from it; the gradient is weights times
codes. The codes are never normalised. A batch of more samples than features takes the Gram matrix of the
features instead, which is smaller, and normalises its codes. Double backward and ``torch.func`` transforms
run the reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ebgan_kernels.backends import select
from ebgan_kernels.checks.pulling_away import check_codes
from ebgan_kernels.ops.gradients import needed_gradients
from ebgan_kernels.ops.module import Module
from ebgan_kernels.ops.pulling_away_autograd import (
    FeatureGramFunction,
    Options,
    Processes,
    SampleGramFunction,
)
from ebgan_kernels.reference import pulling_away as reference

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup


def pulling_away(codes: Tensor, *, group: ProcessGroup | None = None) -> Tensor:
    """The pulling-away term: the mean squared cosine between the codes of a generated batch.

    With the codes S, N rows of d features::

        1 / (N (N - 1))  sum_i sum_{j != i} (S_i . S_j / (|S_i| |S_j|))^2

    The term is 0 for orthogonal codes, 1 for codes that are equal up to sign and length, and at least
    (N / d - 1) / (N - 1) for N > d. The cosine is squared and the diagonal left out, where several public
    ports do otherwise. A code of norm 0 has cosine 0 with every other and gets gradient 0. N <= d takes the
    N x N Gram matrix of the codes; N > d takes the d x d one of the normalised codes, in torch's own
    operations whichever implementation is requested.

    Args:
        codes: (N, ...), N at least 2, flattened to (N, d): what the discriminator's encoder makes of a
            generated batch. float16, bfloat16, float32 or float64, of any layout; halves are converted to
            float32.
        group: a ``torch.distributed`` process group whose processes hold equal shares of one batch. The value
            is that of the global batch, the same on every process. The gradient is that of this process's
            codes times the number of processes, so that DDP's averaging makes it the true one. The forward
            pass takes one collective: it gathers the codes where the global batch is not larger than d, and
            otherwise adds up the d x d Gram matrices. Shares must be of equal size, which one more collective
            checks, on a GPU at the first call in the group. ``torch.func`` transforms take no group.

    Returns:
        0-d, float32 (float64 for float64 codes), without unit, in [0, 1] up to rounding.

    Gradients: to codes, in their dtype; in a group each process gets those of its own.
    Errors: ValueError for fewer than 2 codes, for a group that this process is not in and for unequal shares,
    TypeError for dtypes.
    Memory: N x N weights from forward to backward; for N > d the normalised codes; in a group the gathered
    codes; halves add their float32 copy.
    Precision: products follow ``torch.set_float32_matmul_precision``; leave it at its default, "highest",
    since sums of squared cosines lose digits in TF32. Autocast does not reach them.
    Range: the norm of a float32 or bfloat16 code must lie between 1e-19 and 1e19 (of a float64 one between
    1e-154 and 1e154), where its square keeps within the dtype of the sums; that of a float16 code always
    does. Above, the term is NaN; below, a code loses digits and then counts as one of norm 0. Scale such
    codes first: to scale each row here took 8 to 21 % of the term's time (one thread of a CPU, 2026-11-28).
    Source: arXiv:1609.03126, equation 4.

    Example:
        >>> import torch, ebgan_kernels
        >>> round(ebgan_kernels.pulling_away(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).item(), 3)
        0.5
    """
    processes = _processes_of(group)
    check_codes(codes, processes.size)
    if group is not None and not torch.compiler.is_compiling():
        _check_shares(codes.shape[0], codes.device, group)
    options = Options(select(codes), bool(needed_gradients(codes)), processes)
    flat = reference.flattened(codes)
    by_samples = reference.uses_samples(processes.size * flat.shape[0], flat.shape[1])
    # Without a gradient, a batch of more samples than features has nothing to save: the reference computes
    # it.
    if group is None and (options.backend == "reference" or not (by_samples or options.needed)):
        return reference.pulling_away(flat)
    function = SampleGramFunction if by_samples else FeatureGramFunction
    return function.apply(flat, options)


def _processes_of(group: ProcessGroup | None) -> Processes:
    if group is None:
        return Processes()
    rank = torch.distributed.get_rank(group)
    if rank < 0:
        raise ValueError(
            "group does not contain this process; pass a group that does, or None for the local batch"
        )
    return Processes(group, rank, torch.distributed.get_world_size(group))


_checked_groups: set[int] = set()


def _check_shares(rows: int, device: torch.device, group: ProcessGroup) -> None:
    """Refuses a batch that the processes hold unequal shares of, whose term would be wrong in silence.

    On a GPU, where it waits for the device, only the first call in a group is checked. Whether a call is must
    not depend on its rows: a process that checks and one that does not would wait for each other for ever.
    """
    if device.type != "cpu":
        if id(group) in _checked_groups:
            return
        _checked_groups.add(id(group))
    extremes = torch.tensor([rows, -rows], device=device)
    torch.distributed.all_reduce(extremes, torch.distributed.ReduceOp.MAX, group=group)
    most, least = int(extremes[0]), -int(extremes[1])
    if most != least:
        raise ValueError(
            f"codes has {rows} rows here, and the processes of group have from {least} to {most}; give each "
            "the same number"
        )


class PullingAwayLoss(Module):
    """:func:`pulling_away` as a module: the mean squared cosine of the codes of different samples.

    Args:
        group: a process group, for the term of its global batch.

    Example:
        >>> import torch, ebgan_kernels
        >>> round(ebgan_kernels.PullingAwayLoss()(torch.tensor([[1.0, 0.0], [1.0, 1.0]])).item(), 3)
        0.5
    """

    def __init__(self, group: ProcessGroup | None = None) -> None:
        super().__init__()
        self.group = group

    def forward(self, codes: Tensor) -> Tensor:
        """The term, 0-d.

        Args:
            codes: (N, ...), N at least 2.
        """
        return pulling_away(codes, group=self.group)

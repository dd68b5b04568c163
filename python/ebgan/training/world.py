"""Several processes that train one run, as torchrun starts them: each has its share of every batch.

Every process prepares the same step from the same seed and takes its rows of the batch and of the noise; the
gradients of all are averaged before an optimiser's step, so that weights stay equal everywhere. The first
process alone writes the run folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ebgan.errors import UserError

T = TypeVar("T")
PATIENCE = timedelta(minutes=10)  # the first process draws pictures while the others wait in a step


@dataclass(frozen=True)
class World:
    """The processes of a run: the number of this one, and how many there are."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes logs, checkpoints and pictures."""
        return self.rank == 0

    @property
    def group(self) -> dist.ProcessGroup | None:
        """The group of all processes; None where there is one alone."""
        return dist.group.WORLD if self.size > 1 else None

    def share(self, rows: Tensor) -> Tensor:
        """The rows of a global batch that are this process's."""
        return rows.chunk(self.size)[self.rank] if self.size > 1 else rows

    def check_batch(self, batch_size: int, parts: int = 1) -> None:
        """Raise `UserError` where the processes, each in so many `parts`, cannot share a batch evenly."""
        if batch_size % (self.size * parts):
            each = f" in {parts} parts each" if parts > 1 else ""
            raise UserError(
                f"batch_size: got {batch_size}, which {self.size} processes cannot share evenly{each}; "
                f"allowed are multiples of {self.size * parts}"
            )

    def told_by_first(self, value: T) -> T:
        """The value that the first process has, in all of them; the others' is not looked at."""
        if self.size == 1:
            return value
        told = [value]
        dist.broadcast_object_list(told, src=0)
        return told[0]

    def mean(self, values: Tensor) -> Tensor:
        """The mean of each process's values, in all of them."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
            values /= self.size
        return values

    def greatest(self, number: int) -> int:
        """The greatest of the processes' numbers: 0 where all have 0."""
        if self.size == 1:
            return number
        numbers = torch.tensor(number)
        dist.all_reduce(numbers, dist.ReduceOp.MAX)
        return int(numbers)


def world() -> World:
    """The processes that train with this one; one alone where `joined` has not been entered."""
    if dist.is_available() and dist.is_initialized():
        return World(dist.get_rank(), dist.get_world_size())
    return World()


@contextmanager
def joined() -> Iterator[World]:
    """Within the block the processes that torchrun started are one world; without torchrun it is this one.

    Raises:
        UserError: one of them is gone.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    backend = "gloo"
    if torch.cuda.is_available():
        backend = "cpu:gloo,cuda:nccl"
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group(backend, timeout=PATIENCE)
    try:
        yield world()
    except (dist.DistError, RuntimeError) as error:
        # Gloo tells of a closed connection by a RuntimeError, which other faults are, too.
        if isinstance(error, dist.DistError) or "onnection" in str(error):
            raise UserError(
                "another process of the run is gone; the checkpoints are whole: go on with --resume"
            ) from error
        raise
    finally:
        dist.destroy_process_group()


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Put the mean of all processes' gradients in the place of each; a parameter without one is left out."""
    here = world()
    if here.size == 1:
        return
    by_dtype: dict[torch.dtype, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            by_dtype.setdefault(parameter.grad.dtype, []).append(parameter.grad)
    for gradients in by_dtype.values():
        together = torch.cat([gradient.reshape(-1) for gradient in gradients])
        means = here.mean(together).split([gradient.numel() for gradient in gradients])
        for gradient, mean in zip(gradients, means, strict=True):
            gradient.copy_(mean.view_as(gradient))

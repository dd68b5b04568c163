"""The interface of a system to the training loop, and the options that every system shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from ebgan.errors import at_least
from ebgan.pictures import Plot
from ebgan.training.annotations import check_choices
from ebgan.training.checkpoint import KEEP
from ebgan.training.device import Precision


class System(Protocol):
    """Networks that learn together, one step at a time.

    `modules` and `optimizers` hold all of its state: a checkpoint stores them and nothing else. So a step
    may depend on them, on its number and on torch's random numbers (which the loop seeds anew for each
    step), and on nothing that earlier steps left elsewhere.
    """

    @property
    def modules(self) -> Mapping[str, nn.Module]: ...

    @property
    def optimizers(self) -> Mapping[str, Optimizer]: ...

    @property
    def batches(self) -> object:
        """The examples; what `str` makes of it says at the start of a run what they are and how many."""

    @property
    def plots(self) -> tuple[Plot, ...]:
        """The curves to draw of the logged metrics."""

    def step(self, step: int) -> dict[str, Tensor]:
        """Update the networks once, the first step being 1; return detached tensors, whose means are logged.

        It must not wait for the device: the loop reads the tensors only where it logs.
        """

    def pictures(self) -> dict[str, np.ndarray]:
        """Pictures of the present state by name, uint8 (height, width, 3); leaves the state as it was."""


@runtime_checkable
class Advising(Protocol):
    """A system that sees in its logged metrics that training fails."""

    def advice(self, values: Mapping[str, float]) -> str:
        """What is wrong and what to try, in one line; "" where nothing is."""


@dataclass(frozen=True)
class Help:
    """The text of an option's `--help`, beside its type in a configuration.

    `unset` is what `--help` shows as the default of an option whose value is None.
    """

    text: str
    unset: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Options of the training loop; each system's configuration adds its own.

    `renamed` maps the names that fields have in run folders of earlier versions to those of today; `added`
    are fields that these lack, and that have by default what was so then.
    """

    renamed: ClassVar[Mapping[str, str]] = {}
    added: ClassVar[frozenset[str]] = frozenset({"compiled", "keep"})

    steps: Annotated[int, Help("Number of training steps. A resumed run may be given more.")]
    batch_size: Annotated[int, Help("Number of examples in each step.")]
    seed: Annotated[int, Help("Seed of the first weights, the batches and the noise.")] = 0
    precision: Annotated[Precision, Help("Precision of the forward passes; weights stay float32.")] = (
        "float32"
    )
    compiled: Annotated[
        bool,
        Help("Compile the networks by torch.compile; it needs a C++ compiler, and a minute at the start."),
    ] = False
    threads: Annotated[
        int | None,
        Help(
            "Number of CPU threads; another number changes the last bits.",
            unset="PyTorch's choice",
        ),
    ] = None
    log_every: Annotated[
        int, Help("Steps from one line of metrics.jsonl to the next; the last step has one, too.")
    ] = 50
    picture_every: Annotated[int, Help("Steps from one picture to the next.")] = 1000
    checkpoint_every: Annotated[int, Help("Steps from one checkpoint to the next.")] = 1000
    keep: Annotated[int, Help("Number of checkpoints to keep: the newest ones.")] = KEEP

    def __post_init__(self) -> None:
        check_choices(self)
        for name in ("steps", "batch_size", "log_every", "picture_every", "checkpoint_every", "keep"):
            at_least(name, getattr(self, name), 1)
        if self.threads is not None:
            at_least("threads", self.threads, 1)
        at_least("seed", self.seed, 0)

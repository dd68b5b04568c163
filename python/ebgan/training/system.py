"""What the training loop asks of a system, and the options that every system shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from ebgan.errors import at_least
from ebgan.pictures import Plot
from ebgan.training.device import Precision


class System(Protocol):
    """Networks that learn together, one step at a time.

    `modules` and `optimizers` hold all of its state: a checkpoint stores them and nothing else. So a step may depend on
    them, on its number and on torch's random numbers (which the loop seeds anew for each step), and on nothing that
    earlier steps left elsewhere.
    """

    @property
    def modules(self) -> Mapping[str, nn.Module]: ...

    @property
    def optimizers(self) -> Mapping[str, Optimizer]: ...

    @property
    def plots(self) -> tuple[Plot, ...]:
        """The curves to draw of the logged metrics."""

    def step(self, step: int) -> dict[str, Tensor]:
        """Update the networks once, the first step being 1; return detached tensors, whose means are logged.

        Must not wait for the device: the loop reads the tensors only where it logs.
        """

    def pictures(self) -> dict[str, np.ndarray]:
        """Pictures of the present state by name, uint8 (height, width, 3); leaves the state as it was."""


def option(help: str, **default: Any) -> Any:
    """A field of a configuration that the command line offers, with the text of its `--help`."""
    return field(metadata={"help": help}, **default)


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Options of the training loop; each system's configuration adds its own."""

    steps: int = option("training steps; may be raised when resuming")
    batch_size: int = option("real images, and generated ones, a step")
    seed: int = option("seed of initialisation, batches and noise", default=0)
    precision: Precision = option("precision of the forward passes", default="float32")
    log_every: int = option("steps between two lines of metrics.jsonl", default=50)
    picture_every: int = option("steps between two pictures", default=1000)
    checkpoint_every: int = option("steps between two checkpoints", default=1000)

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "log_every", "picture_every", "checkpoint_every"):
            at_least(name, getattr(self, name), 1)
        at_least("seed", self.seed, 0)

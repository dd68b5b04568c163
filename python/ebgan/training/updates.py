"""The parts that the training steps of all systems are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ebgan.training.world import average_gradients


def update(optimizer: Optimizer, loss: Tensor) -> None:
    """Take one step of `optimizer` down the gradient of `loss`, averaged over the processes of the run."""
    update_by_parts(optimizer, (loss,), 1)


def update_by_parts(optimizer: Optimizer, losses: Iterable[Tensor], count: int) -> None:
    """Take one step of `optimizer` down the mean gradient of `count` losses, and of the processes of the run.

    What a loss has kept for its gradient is freed before the next one is asked for.
    """
    optimizer.zero_grad()
    for loss in losses:
        (loss / count if count > 1 else loss).backward()
    average_gradients(parameter for group in optimizer.param_groups for parameter in group["params"])
    optimizer.step()


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within the block batch normalisation uses its running statistics, and nothing is kept for gradients."""
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(training)


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Within the block the parameters of `module` take no gradient, which saves a third of its pass."""
    trainable = [parameter for parameter in module.parameters() if parameter.requires_grad]
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)

"""What the steps of all systems are made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer


def adam(net: nn.Module, lr: float, *, beta1: float = 0.9) -> Adam:
    """Adam for `net`, fused; on a GPU such as a CUDA graph can capture, its rate in a tensor.

    Fused: 4.2 against 9.7 ms for one ladder network of MNIST's size (Intel Xeon, 1 thread, 2026-11-25).
    """
    device = next(net.parameters()).device
    on_gpu = device.type == "cuda"
    rate = torch.tensor(lr, device=device) if on_gpu else lr
    return Adam(net.parameters(), lr=rate, betas=(beta1, 0.999), fused=True, capturable=on_gpu)


def set_rate(optimizer: Optimizer, lr: float) -> None:
    """Set the learning rate: in place where it is a tensor, which a CUDA graph may read."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr


def update(optimizer: Optimizer, loss: Tensor) -> None:
    """One step of `optimizer` down the gradient of `loss`."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


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

"""The statistics that classify new data: those of the training data, computed when training is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ebgan.errors import UserError
from ebgan.ladder.layers import EPSILON
from ebgan.ladder.network import LadderNetwork

AT_ONCE = 10_000  # examples classified at once


@torch.no_grad()
def set_statistics(
    network: LadderNetwork, training: Sequence[Tensor], *, done: Callable[[], object] = lambda: None
) -> None:
    """Set mean and variance of every layer of network s to those of the examples `training[s]` (N, D).

    This goes layer by layer on the clean path, the layers below being normalised by their new statistics; the
    variance is the unbiased one. The networks take turns: the activations of 60,000 examples in the paper's
    widest layer take 240 MB. After each `done` is called. Under autocast the products run in its type.

    Raises:
        UserError: a set has fewer than two examples, or there is not one set for each network.
    """
    if len(training) != network.networks:
        raise UserError(f"training: got {len(training)} sets, one is needed for each of {network.networks}")
    for number, examples in enumerate(training):
        if len(examples) < 2:
            raise UserError(f"training: got {len(examples)} examples, a variance needs at least 2")
        h = examples
        for layer in network.encoder:
            z = (h @ layer.weight[number]).to(examples.dtype)
            mean = z.mean(0, keepdim=True)
            z -= mean
            variance = z.square().mean(0, keepdim=True)
            layer.mean[number] = mean
            layer.variance[number] = variance * (len(z) / (len(z) - 1))
            z /= (layer.variance[number] + EPSILON).sqrt()
            z += layer.beta[number]
            h = z.relu_()
        done()


@torch.no_grad()
def error_rates(network: LadderNetwork, features: Tensor, labels: Tensor) -> Tensor:
    """The share (S,) of examples (N, D) that each network gives another class than `labels` (N,)."""
    training = network.training
    network.eval()
    wrong = [
        (network(some).argmax(-1) != of).sum(-1)
        for some, of in zip(features.split(AT_ONCE), labels.split(AT_ONCE), strict=True)
    ]
    network.train(training)
    return torch.stack(wrong).sum(0).double() / len(labels)

"""The loss of one ladder network, written out from its formulas and the sizes that tests share."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ebgan.ladder import LadderNetwork

EPSILON = 1e-10
HIDDEN = (24, 16)  # of the tests' systems
LAMBDAS = {
    "full": (1000.0, 10.0, 0.1, 0.1),
    "bottom": (5000.0, 0.0, 0.0, 0.0),
    "gamma": (0.0, 0.0, 0.0, 0.5),
    "supervised": (0.0, 0.0, 0.0, 0.0),
}


def batch_norm(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    mean = x.mean(0)
    std = (x.var(0, unbiased=False) + EPSILON).sqrt()
    return (x - mean) / std, mean, std


def gauss(z: Tensor, u: Tensor, a: Tensor) -> Tensor:
    mu = a[0] * (a[1] * u + a[2]).sigmoid() + a[3] * u + a[4]
    v = a[5] * (a[6] * u + a[7]).sigmoid() + a[8] * u + a[9]
    return (z - mu) * v + mu


def encode(net: LadderNetwork, s: int, x: Tensor, noise: list[Tensor] | None):
    """z, means, deviations of every layer, and the logits, of samples (N, D) that are normalised together."""
    z, means, stds = [x if noise is None else x + noise[0]], [None], [None]
    h = z[0]
    for level, layer in enumerate(net.encoder, 1):
        normal, mean, std = batch_norm(h @ layer.weight[s])
        z.append(normal if noise is None else normal + noise[level])
        means.append(mean)
        stds.append(std)
        h = z[-1] + layer.beta[s]
        h = h.relu() if layer.gamma is None else layer.gamma[s] * h
    return z, means, stds, h


def denoised(net: LadderNetwork, s: int, z: list[Tensor], logits: Tensor) -> dict[int, Tensor]:
    """z_hat of every layer that has a decoder."""
    found, u = {}, torch.softmax(logits, 1)
    for level, layer in zip(range(len(z) - 1, -1, -1), net.decoder, strict=False):
        found[level] = gauss(z[level], batch_norm(u)[0], layer.combinator.weight[s])
        if layer.weight is not None:
            u = found[level] @ layer.weight[s]
    return found


def loss(net: LadderNetwork, s: int, batch, noise: list[Tensor], lambdas: tuple[float, ...]) -> Tensor:
    """Of network s: cross-entropy of the labelled part, and the weighted denoising costs of the other one."""
    labelled, labels, unlabelled = batch.labelled[s], batch.labels[s], batch.unlabelled[s]
    total = cross_entropy(encode(net, s, labelled, [each[s, 0] for each in noise])[3], labels)
    if not any(lambdas):
        return total
    z, _, _, logits = encode(net, s, unlabelled, [each[s, 1] for each in noise])
    clean, means, stds, _ = encode(net, s, unlabelled, None)
    for level, z_hat in denoised(net, s, z, logits).items():
        standardised = (z_hat - means[level]) / stds[level] if level else z_hat
        squares = (clean[level] - standardised).square().sum(1).mean()
        total = total + lambdas[level] / z_hat.shape[1] * squares
    return total

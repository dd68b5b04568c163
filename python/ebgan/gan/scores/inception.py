"""Scores of samples from a classifier's log p(y|x): the EBGAN paper's I' and the usual inception score.

Both reward samples that the classifier is sure of and that are spread over the classes:

    I'  = E_x KL(p(y) || p(y|x))               Zhao, Mathieu, LeCun, arXiv:1609.03126, section 4.1
    IS  = exp(E_x KL(p(y|x) || p(y)))          Salimans et al., arXiv:1606.03498
    p(y) = E_x p(y|x)

Higher is better in both. IS ends at K, the number of classes. I' has no end: the surer the classifier is of
single samples, the larger, up to infinity where p(y|x) = 0 for a class that other samples have. So it depends
on how sure of itself a classifier is trained to be, and compares only under the same one.

Everything is float64, from logits to score. In float32 a softmax of logits 104 apart is 0, its logarithm -inf
and I' infinite or not a number; nothing is clamped here and no epsilon added, as none is needed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ebgan.errors import UserError


def log_probabilities(logits: Tensor) -> Tensor:
    """log p(y|x) of a classifier's logits: float64 (N, K).

    Args:
        logits: (N, K), of any floating type.

    Example:
        >>> log_probabilities(torch.tensor([[0.0, 200.0]]))
        tensor([[-200.,    0.]], dtype=torch.float64)
    """
    return logits.double().log_softmax(1)


def modified_inception_score(log_p: Tensor) -> float:
    """I' = E_x KL(p(y) || p(y|x)) in nats, without an exponential; 0 or more, and higher is better.

    Source: arXiv:1609.03126, section 4.1; with respect to Salimans et al. the arguments of KL are swapped.

    Args:
        log_p: log p(y|x), float64 (N, K); :func:`log_probabilities` makes it of logits.

    Raises:
        UserError: `log_p` is not float64 (N, K) with samples in it.

    Example:
        >>> from math import log
        >>> log_p = torch.tensor([[0.8, 0.2], [0.2, 0.8]], dtype=torch.float64).log()
        >>> abs(modified_inception_score(log_p) - log(1.25)) < 1e-12
        True
    """
    log_share = _log_shares(log_p)
    return _expectation(log_share.exp(), log_share - log_p.mean(0))


def inception_score(log_p: Tensor) -> float:
    """The inception score exp(E_x KL(p(y|x) || p(y))), from 1 to K; higher is better.

    Source: Salimans et al., arXiv:1606.03498. One estimate from all N samples, without its splits into ten.

    Args:
        log_p: log p(y|x), float64 (N, K); :func:`log_probabilities` makes it of logits.

    Raises:
        UserError: `log_p` is not float64 (N, K) with samples in it.

    Example:
        >>> sure = log_probabilities(1000 * torch.eye(10))
        >>> round(inception_score(sure), 6)
        10.0
    """
    return math.exp(_expectation(log_p.exp(), log_p - _log_shares(log_p)) / len(log_p))


def class_shares(log_p: Tensor) -> Tensor:
    """The share of samples whose most probable class is each of the K: float64 (K,).

    Args:
        log_p: log p(y|x), float64 (N, K); :func:`log_probabilities` makes it of logits.

    Example:
        >>> class_shares(log_probabilities(torch.tensor([[0.0, 1.0], [0.0, 2.0]])))
        tensor([0., 1.], dtype=torch.float64)
    """
    _check(log_p)
    return torch.bincount(log_p.argmax(1), minlength=log_p.shape[1]).double() / len(log_p)


def mean_top_probability(log_p: Tensor) -> float:
    """E_x max_y p(y|x): how sure the classifier is of its choice, from 1/K to 1.

    Args:
        log_p: log p(y|x), float64 (N, K); :func:`log_probabilities` makes it of logits.
    """
    _check(log_p)
    return log_p.amax(1).exp().mean().item()


def _log_shares(log_p: Tensor) -> Tensor:
    """log p(y), (K,)."""
    _check(log_p)
    return log_p.logsumexp(0) - math.log(len(log_p))


def _expectation(p: Tensor, values: Tensor) -> float:
    """The sum of `p * values`, where a probability of zero makes zero whatever its value: 0 log 0 = 0."""
    return torch.where(p == 0, 0.0, p * values).sum().item()


def _check(log_p: Tensor) -> None:
    if log_p.ndim != 2 or not len(log_p) or log_p.dtype != torch.float64:
        raise UserError(
            f"log_p: got {log_p.dtype} {tuple(log_p.shape)}, expected float64 (N, K) with N at least 1; "
            "log_probabilities(logits) makes it"
        )

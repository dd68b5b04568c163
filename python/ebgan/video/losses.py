"""The losses of a generator of `ebgan.video`: the five of arXiv:1511.05440, and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ebgan.errors import UserError, at_least, one_of

Loss = Literal["l2", "l1", "gdl", "adv", "adv+gdl"]
Power = Literal[1, 2]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The terms of the generator's loss, each summed over the scales, and their weights; 0 leaves one out.

        lp_weight * mean |prediction - target|^p  +  gdl_weight * gradient difference (exponent alpha)
        + adversarial_weight * cross entropy of the discriminator's logits with "real"

    The first two are `ebgan_kernels.multiscale_prediction_loss`.
    """

    p: Power = 1
    alpha: float = 1.0
    lp_weight: float = 1.0
    gdl_weight: float = 0.0
    adversarial_weight: float = 0.0

    def __post_init__(self) -> None:
        one_of("p", self.p, get_args(Power))
        at_least("alpha", self.alpha, 1)
        weights = ("lp_weight", "gdl_weight", "adversarial_weight")
        for name in weights:
            at_least(name, getattr(self, name), 0)
        if not any(getattr(self, name) for name in weights):
            raise UserError(f"{weights[0]}: {', '.join(weights)} are all 0; at least one must be above")


# The weights of the paper; it pairs the adversarial term with p = 2, and with the gradient difference p = 1.
LOSSES: dict[Loss, Terms] = {
    "l2": Terms(p=2),
    "l1": Terms(p=1),
    "gdl": Terms(p=1, gdl_weight=1.0),
    "adv": Terms(p=2, adversarial_weight=0.05),
    "adv+gdl": Terms(p=1, gdl_weight=1.0, adversarial_weight=0.05),
}


def adversarial_loss(logits: Tensor, *, real: bool) -> Tensor:
    """Binary cross entropy of logits (B, scales) with one label: mean over the batch, sum over the scales."""
    labels = torch.full_like(logits, float(real))
    return binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(0).sum()

"""The classifier of identities by their code, whose weight is 0 in the release."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ebgan_kernels.ops.module import Module

HIDDEN, DROPOUT = 256, 0.5


class IdentityClassifier(Module):
    """Two linear layers that give logits of every factor of the identity.

    Args:
        identity_size: the length of the identity's code s.
        identities: how many values each factor has.
        dropout: whether half of the hidden units are dropped, as beside the larger networks.
    """

    def __init__(self, identity_size: int, identities: Sequence[int], *, dropout: bool) -> None:
        super().__init__()
        self.identities = tuple(identities)
        self.layers = nn.Sequential(
            nn.Linear(identity_size, HIDDEN),
            nn.ReLU(),
            nn.Dropout(DROPOUT if dropout else 0.0),
            nn.Linear(HIDDEN, sum(identities)),
        )

    def forward(self, identity: Tensor, ids: Tensor) -> Tensor:
        """The negative log-likelihood of the right values, summed over factors, a mean over images: ().

        Args:
            identity: s (N, `identity_size`).
            ids: (N, K) int64, the number of the identity for each factor.
        """
        logits = self.layers(identity).float().split(self.identities, 1)
        losses = [cross_entropy(each, ids[:, factor]) for factor, each in enumerate(logits)]
        return torch.stack(losses).sum()

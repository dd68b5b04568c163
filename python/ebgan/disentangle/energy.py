"""A discriminator whose answer is an energy: an auto-encoder that is told the identity of the image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ebgan.disentangle.interface import Decoder, Encoder
from ebgan.disentangle.layers import check_ids
from ebgan_kernels.ops.module import Module


class EnergyDiscriminator(Module):
    """An auto-encoder of images whose decoder is told the identity; the energy is its error.

    This project's own extension, in place of the release's classifier. What is not of the identity has to
    pass through a short code, so that a real image is reconstructed well only under its own identity.

    Args:
        encoder: makes `Codes` of images, whose `mean` is used alone.
        decoder: draws images of such codes and of the identity's code.
        identities: how many values each factor of the identity has.
        identity_size: the length of the identity's code.
    """

    def __init__(
        self, encoder: Encoder, decoder: Decoder, *, identities: Sequence[int], identity_size: int
    ) -> None:
        super().__init__()
        self.encoder, self.decoder, self.identities = encoder, decoder, tuple(identities)
        self.tables = nn.ModuleList(nn.Embedding(values, identity_size) for values in identities)

    def forward(self, images: Tensor, ids: Tensor) -> Tensor:
        """The reconstruction (N, C, H, W).

        Args:
            images: (N, C, H, W) in [-1, 1].
            ids: (N, K) int64, the number of the identity for each factor.
        """
        check_ids(ids, len(images), self.identities)
        identity = torch.stack([table(ids[:, factor]) for factor, table in enumerate(self.tables)]).sum(0)
        return self.decoder(self.encoder(images).mean, identity)

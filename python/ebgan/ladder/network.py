"""The ladder network: an encoder, and a decoder that denoises every layer of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

import ebgan_kernels as ek
from ebgan.errors import UserError, at_least
from ebgan.ladder.combinators import Combinator, CombinatorName, combinator
from ebgan.ladder.layers import EncoderLayer, dense, draw
from ebgan_kernels.ops.module import Module


class Encoded(NamedTuple):
    """The result of the encoder for samples (S, P, N, D); lists begin at layer 0, the input.

    `z` is normalised and corrupted, before beta, (S, P, N, D_l); `mean` and `std` (S, P, D_l) are of the same
    before its normalisation, 0 and 1 for the input, which has none. `logits` are (S, P, N, classes).
    """

    z: list[Tensor]
    mean: list[Tensor]
    std: list[Tensor]
    logits: Tensor


class DecoderLayer(nn.Module):
    """The decoder of one layer: its combinator, and the map (S, D_l, D_(l-1)) to the layer below, if any.

    Args:
        networks: S, the number of networks.
        units: D_l, the units of the layer.
        below: D_(l-1), those of the layer below; None for no map to it.
        name: the combinator.
    """

    def __init__(self, networks: int, units: int, below: int | None, name: CombinatorName) -> None:
        super().__init__()
        self.combinator = combinator(name, networks, units)
        self.weight = None if below is None else nn.Parameter(torch.empty(networks, units, below))

    def denoise(self, z: Tensor, u: Tensor) -> Tensor:
        """The denoised activation z_hat (S, ..., N, D) of z and u."""
        return self.combinator(z.flatten(1, -2), u.flatten(1, -2)).view(z.shape)


class LadderNetwork(Module):
    """`networks` ladder networks of equal sizes, that share nothing (Rasmus et al., arXiv:1507.02672).

    The encoder's layer l computes ``z_l = BN(h_(l-1) W_l)``, adds noise, and ``h_l = act(z_l + beta_l)``:
    ReLU, at the top gamma and softmax. The decoder comes down from ``u_L = BN(h_L)``:
    ``z_hat_l = g(z_l, u_l)``, ``u_(l-1) = BN(z_hat_l V_l)``.

    Args:
        sizes: units of each layer, from the input to the classes.
        lowest: the lowest layer that the decoder denoises: 0, or above it for one that is cut short; None for
            no decoder.
        combinator: g, see `ebgan.ladder.combinators`.
        networks: S.

    `forward` classifies. In training mode it normalises by the batch, else by the statistics of the training
    data, for which `set_statistics` is to be called before. The first weights are drawn by `initialise`.

    Example:
        >>> from ebgan.ladder import initialise
        >>> net = LadderNetwork((784, 100, 10), networks=2)
        >>> initialise((0, 1), net)
        >>> net(torch.rand(32, 784)).shape
        torch.Size([2, 32, 10])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        lowest: int | None = 0,
        combinator: CombinatorName = "gauss",
        networks: int = 1,
    ) -> None:
        super().__init__()
        for size in sizes:
            at_least("layer size", size, 1)
        at_least("networks", networks, 1)
        top = len(sizes) - 1
        if top < 1 or (lowest is not None and not 0 <= lowest <= top):
            raise UserError(
                f"sizes, lowest: got {tuple(sizes)} and {lowest}, allowed are two sizes or more, and None or "
                f"the number of a layer from 0 to {top}"
            )
        self.sizes, self.networks, self.lowest = tuple(sizes), networks, lowest
        encoder = nn.ModuleList(
            EncoderLayer(networks, inputs, outputs, top=layer == top)
            for layer, (inputs, outputs) in enumerate(pairwise(sizes), 1)
        )
        levels = [] if lowest is None else range(top, lowest - 1, -1)
        decoder = nn.ModuleList(
            DecoderLayer(networks, sizes[level], sizes[level - 1] if level > levels[-1] else None, combinator)
            for level in levels
        )

        self.encoder = cast(Sequence[EncoderLayer], encoder)  # what a ModuleList is, to a type checker
        self.decoder = cast(Sequence[DecoderLayer], decoder)

    def initialise(self, network: int) -> None:
        """Draw the weights of one network from N(0, 1 / inputs)."""
        weights = [*(layer.weight for layer in self.encoder), *(layer.weight for layer in self.decoder)]
        for weight in weights:
            if weight is not None:
                draw(weight, network)

    def forward(self, x: Tensor) -> Tensor:
        """The logits (S, N, classes), on the clean path.

        Args:
            x: examples (N, D) for all networks, or (S, N, D).
        """
        h = x.expand(self.networks, *x.shape[-2:])
        for layer in self.encoder:
            linear = dense(h, layer.weight)
            if self.training:
                h = layer.normalised(linear.unsqueeze(1)).h.squeeze(1)
            else:
                h = layer.classified(linear)
        return h

    def encode(self, x: Tensor, noise: Sequence[Tensor]) -> Encoded:
        """Encode x (S, P, N, D), its parts normalised apart, with `noise` (S, P, N, D_l) at each layer."""
        input_shape = (*x.shape[:2], x.shape[-1])
        z = [x + noise[0]]
        mean, std = [x.new_zeros(1).expand(input_shape)], [x.new_ones(1).expand(input_shape)]
        h = z[0]
        for layer, added in zip(self.encoder, noise[1:], strict=True):
            normalised = layer.normalised(dense(h, layer.weight), added)
            z.append(normalised.z)
            mean.append(normalised.mean)
            std.append(normalised.std)
            h = normalised.h
        return Encoded(z, mean, std, h)

    def decode(self, z: Sequence[Tensor], logits: Tensor) -> Iterator[tuple[int, Combinator, Tensor]]:
        """Yield, from the top down, each layer's number l, its combinator, and u (S, ..., N, D_l)."""
        u = logits.softmax(-1)
        for level, layer in zip(range(len(self.encoder), -1, -1), self.decoder, strict=False):
            u = ek.ladder_layer(u).z
            yield level, layer.combinator, u
            if layer.weight is not None:
                u = dense(layer.denoise(z[level], u), layer.weight)

    def reconstruct(self, z: Sequence[Tensor], logits: Tensor) -> Tensor:
        """The denoised input z_hat_0 (S, ..., N, D)."""
        *_, (_, _, u) = self.decode(z, logits)
        return self.decoder[-1].denoise(z[0], u)

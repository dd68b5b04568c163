"""The noise of a step: a function of each network's seed and the step, the same alone and beside others."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ebgan.training import seed_step


class Noise:
    """Buffers that every step fills anew: torch's random numbers are seeded for each network in turn.

    Drawing outside of what is differentiated keeps the rest of a step without random numbers, so that it can
    be captured in a CUDA graph whatever the number of networks.

    Args:
        seeds: one for each network.
        sizes, stds: units of each layer, and deviation of its noise, from the input up.
        batch_size: N.
        noisy, clean: number of parts of a batch with noise, and after them of parts whose noise is 0.
        codes: size of the vectors that a generator is given; 0 for none.
        like: a tensor of the dtype and on the device of the noise.

    Example:
        >>> import torch
        >>> noise = Noise((0,), (4, 2), (0.3, 0.0), batch_size=5, noisy=2, clean=1, like=torch.zeros(0))
        >>> first, second = noise.draw(1)
        >>> first.shape, second.abs().max().item()
        (torch.Size([1, 3, 5, 4]), 0.0)
    """

    def __init__(
        self,
        seeds: Sequence[int],
        sizes: Sequence[int],
        stds: Sequence[float],
        *,
        batch_size: int,
        noisy: int,
        clean: int = 0,
        codes: int = 0,
        like: Tensor,
    ) -> None:
        self.seeds, self.stds, self.noisy = tuple(seeds), tuple(stds), noisy
        self.layers = [like.new_zeros(len(seeds), noisy + clean, batch_size, size) for size in sizes]
        self.codes = like.new_zeros(len(seeds), batch_size, codes)

    def draw(self, step: int, *, noisy: int | None = None) -> list[Tensor]:
        """The noise (S, P, N, D_l) of each layer; `codes` (S, N, codes), drawn from N(0, 1), are kept beside.

        Both are overwritten by the next call. With `noisy`, only as many parts are drawn anew.
        """
        parts = self.noisy if noisy is None else noisy
        for network, seed in enumerate(self.seeds):
            seed_step(seed, step)
            for layer, std in zip(self.layers, self.stds, strict=True):
                if std:
                    layer[network, :parts].normal_(0, std)
            if self.codes.shape[-1]:
                self.codes[network].normal_()
        return self.layers


def first_parts(noise: Sequence[Tensor], first: int, last: int) -> list[Tensor]:
    """The noise of the parts from `first` to before `last`."""
    return [layer[:, first:last] for layer in noise]

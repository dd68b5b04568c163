"""Random changes of training patches that leave a film a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ebgan.data.clip_set import Frames
from ebgan.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ClipAugmentation:
    """The changes that patches are given, each patch by its own random numbers, all its frames alike.

    Args:
        flip: mirror half of the patches left to right.
        reverse_time: play half of the patches backwards.
        permute_colours: exchange the colour channels, each of the six orders being as likely.
        scale_colours: S; every colour channel x in [-1, 1] becomes clamp(a x + b, -1, 1), a uniform in
            [1 - S, 1 + S] and b uniform in [-S, S], drawn for each channel. 0 leaves colours as they are.

    Raises:
        UserError: `scale_colours` is not from 0 to below 1.

    Example:
        >>> random = np.random.default_rng(0)
        >>> patch = torch.zeros(1, 2, 3, 4, 4)
        >>> ClipAugmentation(scale_colours=0.5).drawn(random, 1).apply([patch])[0].shape
        torch.Size([1, 2, 3, 4, 4])
    """

    flip: bool = False
    reverse_time: bool = False
    permute_colours: bool = False
    scale_colours: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.scale_colours < 1:
            raise UserError(f"scale_colours: got {self.scale_colours}, allowed is 0 to below 1")

    def drawn(self, random: np.random.Generator, count: int) -> DrawnAugmentation:
        """The changes of `count` patches; the numbers drawn are the same whatever is switched on."""
        flip, reverse = random.integers(2, size=(2, count)).astype(bool)
        order = np.argsort(random.random((count, 3)), axis=1)
        gain, offset = random.uniform(-1, 1, size=(2, count, 3)) * self.scale_colours
        return DrawnAugmentation(
            flip=flip & self.flip,
            reverse=reverse & self.reverse_time,
            order=order if self.permute_colours else None,
            gain=1 + gain,
            offset=offset,
        )


@dataclass(frozen=True, kw_only=True)
class DrawnAugmentation:
    """What becomes of each patch of one batch of B: arrays (B,), and (B, 3) for the colour channels."""

    flip: NDArray[np.bool_]
    reverse: NDArray[np.bool_]
    order: NDArray[np.int64] | None
    gain: NDArray[np.float64]
    offset: NDArray[np.float64]

    def ordered(self, windows: Sequence[Frames]) -> list[Frames]:
        """The windows that patches are cut from, those backwards that are to be.

        Time is reversed before a patch is looked for, so that it moves between its last two frames.
        """
        pairs = zip(windows, self.reverse, strict=True)
        return [np.ascontiguousarray(window[::-1]) if back else window for window, back in pairs]

    def apply(self, scales: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """The patches (B, T, 3, s, s), coarse to fine, mirrored and recoloured.

        Each coarser scale is the average over 2x2 of the changed finer one, since colours are cut off
        at -1 and 1.
        """
        changed = [self._changed(scales[-1])]
        for _ in scales[1:]:
            fine = changed[0]
            coarse = avg_pool2d(fine.flatten(0, 1), 2)
            changed.insert(0, coarse.view(*fine.shape[:3], *coarse.shape[-2:]))
        return tuple(changed)

    def _changed(self, patches: Tensor) -> Tensor:
        flip = torch.from_numpy(self.flip)
        patches = patches.flip(-1).where(flip[:, None, None, None, None], patches)
        if self.order is not None:
            order = torch.from_numpy(self.order)[:, None, :, None, None]
            patches = patches.gather(2, order.expand_as(patches))
        gain, offset = (
            torch.from_numpy(values).to(patches)[:, None, :, None, None]
            for values in (self.gain, self.offset)
        )
        return (patches * gain + offset).clamp_(-1, 1)

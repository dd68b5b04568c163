"""Whole frames of real clips, as the generators take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ebgan.data import Clip, ClipSet, DataError
from ebgan.data.clip_set import Frames
from ebgan.errors import at_least

MULTIPLE = 8  # sides are multiples of it: the coarsest of four scales has an eighth of the pixels each way
LEAST_SIDE = 16


@dataclass(frozen=True)
class Window:
    """`count` frames of a clip from `start` on."""

    clip: Clip
    start: int
    count: int

    def frames(self) -> Tensor:
        """The frames, float (count, 3, H, W) in [-1, 1], cut to sides that are multiples of 8."""
        return as_frames(self.clip.frames(self.start, self.count), self.clip.name)

    @property
    def size(self) -> str:
        """Height and width of its frames, such as "240x320"."""
        return "x".join(str(side // MULTIPLE * MULTIPLE) for side in (self.clip.height, self.clip.width))


def as_frames(pixels: Frames, name: str) -> Tensor:
    """The pixels, uint8 (T, H, W, 3), of the clip `name` as frames, float (T, 3, H', W') in [-1, 1].

    What H and W have beyond a multiple of 8 is cut off, in halves, on either side.

    Raises:
        DataError: a side is below 16 pixels.
    """
    height, width = pixels.shape[1:3]
    if min(height, width) < LEAST_SIDE:
        raise DataError(f"{name}: frames are {height}x{width}, prediction needs {LEAST_SIDE}x{LEAST_SIDE}")
    top, left = height % MULTIPLE // 2, width % MULTIPLE // 2
    inner = pixels[:, top : top + height // MULTIPLE * MULTIPLE, left : left + width // MULTIPLE * MULTIPLE]
    return torch.from_numpy(inner.copy()).permute(0, 3, 1, 2).float().div(127.5).sub(1)


def windows(clips: ClipSet, count: int, *, stride: int) -> list[Window]:
    """Every `stride`-th window of `count` frames of each clip that has no cut, flash or gap in it.

    Raises:
        DataError: no clip is long enough.
        UserError: `stride` is below 1.
    """
    at_least("stride", stride, 1)
    found = [
        Window(clip, int(start), count) for clip in clips.clips for start in clip.starts(count)[::stride]
    ]
    if not found:
        raise DataError(f"{clips.name} {clips.split}: none of {len(clips)} clips has {count} frames in a row")
    return found


def spread(windows: Sequence[Window], count: int) -> list[Window]:
    """At most `count` of the `windows`, evenly spread over all of them."""
    at_least("windows", count, 1)
    kept = np.linspace(0, len(windows) - 1, min(count, len(windows))).round().astype(int)
    return [windows[number] for number in kept]

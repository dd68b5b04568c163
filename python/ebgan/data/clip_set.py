"""The form in which every set of video clips reaches the training code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError
from ebgan.errors import UserError

Frames = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Clip:
    """One clip of a :class:`ClipSet`; its frames lie in memory, or are decoded or drawn when asked for.

    Attributes:
        name: what messages call it: the path of its file, or a number.
        label: index of its class.
        group: clips of one group show the same scene and never stand on both sides of a split.
        length: T, its frames.
        height, width: H and W, pixels; clips of a set may differ.
        read: ``(start, stop)`` to uint8 ``(stop - start, H, W, 3)`` in C order, the same bytes every time,
            from any thread.
        breaks: sorted numbers of the frames that do not go on from the one before (a cut, a flash, a gap in
            time).
        in_memory: whether ``read`` costs nothing.
    """

    name: str
    label: int
    group: str
    length: int
    height: int
    width: int
    read: Callable[[int, int], Frames] = field(repr=False)
    breaks: tuple[int, ...] = ()
    in_memory: bool = True

    @staticmethod
    def of(
        frames: Frames,
        name: str,
        *,
        label: int = 0,
        group: str | None = None,
        breaks: tuple[int, ...] = (),
    ) -> Clip:
        """The clip of ``frames``, uint8 ``(T, H, W, 3)`` in C order; by default a group of its own.

        Raises:
            DataError: the array has another type or shape.
        """
        if frames.dtype != np.uint8 or frames.shape[3:] != (3,) or not frames.flags.c_contiguous:
            raise DataError(
                f"{name}: frames are {frames.dtype} {frames.shape}, expected uint8 (T, H, W, 3) in C order; "
                "numpy.ascontiguousarray(frames) orders them"
            )
        length, height, width, _ = frames.shape
        group = name if group is None else group
        return Clip(name, label, group, length, height, width, lambda a, b: frames[a:b], breaks)

    def frames(self, start: int = 0, count: int | None = None) -> Frames:
        """``count`` frames from ``start`` on, by default all: uint8 ``(count, H, W, 3)``, to be read alone.

        Raises:
            UserError: there are not so many.
        """
        stop = self.length if count is None else start + count
        if not 0 <= start <= stop <= self.length:
            raise UserError(
                f"{self.name}: has frames 0 to {self.length - 1}, asked for {start} to {stop - 1}"
            )
        return self.read(start, stop)

    def starts(self, count: int) -> NDArray[np.int64]:
        """Every frame that begins a run of ``count`` frames without a break among them."""
        starts = np.arange(self.length - count + 1)
        edges = np.searchsorted(np.array(self.breaks, np.int64), [starts + 1, starts + count])
        return starts[edges[0] == edges[1]]


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Labelled clips of any lengths and sizes.

    Attributes:
        clips: the clips, in a fixed order.
        name: name of the data set, as :func:`ebgan.data.load_clips` takes it.
        split: which part of it, ``"train"`` or ``"test"``.
        classes: what each label means, in order.

    Raises:
        DataError: a label has no class.

    Example:
        >>> import numpy as np
        >>> grey = Clip.of(np.full((20, 48, 64, 3), 128, np.uint8), "grey")
        >>> still = ClipSet((grey,), name="still", split="train", classes=("nothing moves",))
        >>> len(still), still.clips[0].frames(4, count=5).shape
        (1, (5, 48, 64, 3))
    """

    clips: Sequence[Clip] = field(repr=False)
    name: str
    split: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        for clip in self.clips:
            if not 0 <= clip.label < len(self.classes):
                raise DataError(
                    f"{self.name}: {clip.name} has label {clip.label}, but there are {len(self.classes)} "
                    "classes, numbered from 0"
                )

    def __len__(self) -> int:
        return len(self.clips)

    def hold_out(self, share: float, *, seed: int = 0) -> tuple[ClipSet, ClipSet]:
        """Two parts of the set, the second with about ``share`` of the groups of every class.

        A class of two groups or more has at least one on either side; one of a single group stays in the
        first part. Clips of one group never part: they show the same scene.

        Raises:
            UserError: ``share`` is not between 0 and 1.
        """
        if not 0 < share < 1:
            raise UserError(f"share: got {share}, allowed are numbers between 0 and 1")
        held: set[tuple[int, str]] = set()
        for label in range(len(self.classes)):
            groups = sorted({clip.group for clip in self.clips if clip.label == label})
            count = min(max(round(share * len(groups)), 1), len(groups) - 1)
            order = np.random.default_rng((seed, label)).permutation(len(groups))
            held |= {(label, groups[index]) for index in order[: max(count, 0)]}
        parts: tuple[list[Clip], list[Clip]] = ([], [])
        for clip in self.clips:
            parts[(clip.label, clip.group) in held].append(clip)
        return replace(self, clips=tuple(parts[0])), replace(self, clips=tuple(parts[1]))

"""Training batches of moving patches as a pure function of the seed and the step."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan import host
from ebgan.data.batches import available_processors, check_batch
from ebgan.data.clip_augmentation import ClipAugmentation, DrawnAugmentation
from ebgan.data.clip_set import Clip, ClipSet, Frames
from ebgan.data.errors import DataError
from ebgan.data.skipped import first_few
from ebgan.errors import UserError, at_least, one_of

_MAX_SCALES = 5
_MAX_SIZE = 8192

_log = logging.getLogger(__name__)


class Drawn(NamedTuple):
    """The source of a batch: a window of T frames for each patch, and the places tried in it, in order."""

    windows: list[Frames]
    tops: NDArray[np.int64]
    lefts: NDArray[np.int64]
    augmentation: DrawnAugmentation | None


class ClipBatches:
    """An endless sequence of batches of moving patches, each at several scales.

    A patch is drawn as the paper's authors draw theirs: a class, a clip of that class, and a start in that
    clip, each uniformly; then up to ``tries`` places in these frames, of which the first is taken where the
    patch moves between its last two frames, else the last. No patch spans a break of its clip. Batch ``step``
    depends on ``(seed, step)`` alone, as in :class:`ebgan.data.Batches`.

    Clips that are too short, or smaller than the patch, are left out: one warning of the logger
    ``ebgan.data.clip_batches`` counts them and names the first.

    Args:
        clip_set: where the patches come from.
        batch_size: B, patches in a batch.
        frames: T, frames of a patch: those that go in and those to predict.
        size: height and width of a patch, divisible by 2^(scales - 1).
        scales: 1 to 5; each coarser one is the average over 2x2 of the next.
        min_motion: root mean square of the change between the last two frames of a patch that moves, in
            levels of 0 to 255. In 13 clips of UCF101, 15 to 72 percent of all 32x32 places pass 8.
        uniform_over: ``"classes"``, as described, or ``"clips"``: all clips alike, for sets whose classes
            differ much in size.
        tries: places looked at; 1 takes the first, whether it moves or not.
        augmentation: random changes of the patches; None leaves them as they are in the clips.
        seed: non-negative integer.
        threads: the most threads that prepare a batch, by default one for each processor this process may
            use. The result does not depend on it.

    Raises:
        DataError: no clip is long and large enough.
        UserError: an option is out of range, or a batch takes more than 1 GiB.

    Source: M. Mathieu, C. Couprie, Y. LeCun, arXiv:1511.05440, section 4.1; its released code.

    Example:
        >>> from ebgan.data import load_clips
        >>> batches = ClipBatches(load_clips("moving-digits"), batch_size=8, frames=5, seed=1)
        >>> [tuple(scale.shape) for scale in batches.at(1000)][::3]
        [(8, 5, 3, 4, 4), (8, 5, 3, 32, 32)]
    """

    def __init__(
        self,
        clip_set: ClipSet,
        batch_size: int,
        *,
        frames: int,
        size: int = 32,
        scales: int = 4,
        min_motion: float = 8.0,
        uniform_over: Literal["classes", "clips"] = "classes",
        tries: int = 25,
        augmentation: ClipAugmentation | None = None,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        for option, value, least in (
            ("batch_size", batch_size, 1),
            ("frames", frames, 1),
            ("scales", scales, 1),
            ("min_motion", min_motion, 0),
            ("tries", tries, 1),
            ("seed", seed, 0),
            ("threads", threads, 1),
        ):
            if value is not None:
                at_least(option, value, least)
        one_of("uniform_over", uniform_over, ("classes", "clips"))
        if scales > _MAX_SCALES:
            raise UserError(f"scales: got {scales}, allowed are 1 to {_MAX_SCALES}")
        if not 1 <= size <= _MAX_SIZE or size % 2 ** (scales - 1):
            raise UserError(
                f"size: got {size}, allowed are multiples of {2 ** (scales - 1)} up to {_MAX_SIZE} "
                f"with {scales} scales"
            )
        check_batch(batch_size, 3 * frames * sum((size >> level) ** 2 for level in range(scales)))
        self.clip_set = clip_set
        self.batch_size = batch_size
        self.frames = frames
        self.size = size
        self.scales = scales
        self.min_squared_change = int(min_motion**2 * 3 * size**2)  # exact: changes are whole numbers
        self.tries = tries
        self.augmentation = augmentation
        self.seed = seed
        self.threads = threads if threads is not None else available_processors()
        self._clips, self._starts = _usable(clip_set, frames, size)
        self._pool = ThreadPoolExecutor(self.threads)
        # The clips are sorted by class: class c has counts[c] of them, from first[c] on.
        labels = [clip.label if uniform_over == "classes" else 0 for clip in self._clips]
        _, self._first, self._counts = np.unique(labels, return_index=True, return_counts=True)

    def at(self, step: int) -> tuple[Tensor, ...]:
        """Batch number ``step``, counted from 0: float32 ``(B, T, 3, s, s)`` in [-1, 1], coarse to fine."""
        windows, tops, lefts, augmentation = self.drawn(step)
        sizes = [self.size >> level for level in reversed(range(self.scales))]
        batch = tuple(torch.empty((self.batch_size, self.frames, 3, size, size)) for size in sizes)
        host.clip_batch(
            windows=windows,
            tops=tops,
            lefts=lefts,
            min_squared_change=self.min_squared_change,
            out=[scale.numpy() for scale in batch],
            threads=self.threads,
        )
        return augmentation.apply(batch) if augmentation else batch

    def __str__(self) -> str:
        return f"{self.clip_set.name} ({self.clip_set.split}): {len(self._clips):,} clips"

    def drawn(self, step: int) -> Drawn:
        """The frames that batch ``step`` is cut from, and where a patch is looked for in them."""
        at_least("step", step, 0)
        random = np.random.default_rng((self.seed, step))
        classes = random.integers(len(self._counts), size=self.batch_size)
        chosen = self._first[classes] + random.integers(self._counts[classes])
        clips = [self._clips[index] for index in chosen]
        place = random.integers([len(self._starts[index]) for index in chosen])
        starts = [int(self._starts[index][at]) for index, at in zip(chosen, place, strict=True)]
        tops, lefts = (
            random.integers(np.array(extent)[:, None] - self.size + 1, size=(self.batch_size, self.tries))
            for extent in ([clip.height for clip in clips], [clip.width for clip in clips])
        )
        windows, augmentation = self._windows(clips, starts), None
        if self.augmentation is not None:
            augmentation = self.augmentation.drawn(random, self.batch_size)
            windows = augmentation.ordered(windows)
        return Drawn(windows, tops, lefts, augmentation)

    def _windows(self, clips: Sequence[Clip], starts: Sequence[int]) -> list[Frames]:
        # Decoding runs outside the interpreter lock, so clips that are decoded wait for each other less.
        if all(clip.in_memory for clip in clips):
            return [clip.frames(start, self.frames) for clip, start in zip(clips, starts, strict=True)]
        return list(self._pool.map(lambda clip, start: clip.frames(start, self.frames), clips, starts))


def _usable(clip_set: ClipSet, frames: int, size: int) -> tuple[list[Clip], list[NDArray[np.int64]]]:
    """The clips that hold a patch, sorted by class, and the frames of each at which one may start."""
    usable: list[tuple[Clip, NDArray[np.int64]]] = []
    skipped: list[str] = []
    for clip in sorted(clip_set.clips, key=lambda clip: clip.label):
        starts = clip.starts(frames)
        if min(clip.height, clip.width) < size:
            skipped.append(f"{clip.name!r} ({clip.width}x{clip.height}, patches take {size}x{size})")
        elif not len(starts):
            within = " between its breaks" if len(clip.breaks) else ""
            skipped.append(f"{clip.name!r} (no {frames} frames in a row among its {clip.length}{within})")
        else:
            usable.append((clip, starts))
    title = f"{clip_set.name!r} ({clip_set.split})"
    if not usable:
        why = f": {first_few(skipped)}; ask for fewer frames or a smaller size" if skipped else ""
        raise DataError(f"data set {title} holds no clip to take patches from{why}")
    if skipped:
        count = len(skipped), len(clip_set)
        _log.warning("ebgan: left out %d of %d clips of %s: %s", *count, title, first_few(skipped))
    return [clip for clip, _ in usable], [starts for _, starts in usable]

"""Batches of moving patches: `python -m benchmarks.bench_clips [--quick] [--output DIR]`.

Patches of 32x32 from clips as large as those of UCF101 (random pixels, most of which are still; no data
needed), at four scales in [-1, 1]: the places tried, the conversion and the averages in NumPy, against the
host module. Both draw the same patches, and both times hold the drawing. Runs on the CPU alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.command import Session, open_session
from benchmarks.rows import StepRow
from benchmarks.timing import Variant, wall_times
from ebgan.data import Clip, ClipBatches, ClipSet

SYSTEM = "multi-scale video prediction"
SEED = 0
STILL = 0.7  # of the width of each clip

Planes = NDArray[np.float32]


def clips(count: int) -> ClipSet:
    """Clips of 60 frames of 320x240: still noise on the left, new noise in every frame on the right."""
    random = np.random.default_rng(SEED)
    made = []
    for number in range(count):
        frames = random.integers(0, 256, (60, 240, 320, 3), np.uint8)
        frames[1:, :, : int(STILL * 320)] = frames[:1, :, : int(STILL * 320)]
        made.append(Clip.of(frames, str(number)))
    return ClipSet(tuple(made), "noise", "train", ("noise",))


def numpy_batch(batches: ClipBatches, step: int, halve: Callable[[Planes], Planes]) -> tuple[Tensor, ...]:
    """`batches.at(step)` in NumPy: patches chosen and cut one by one, converted and averaged at once."""
    size = batches.size
    patches = []
    drawn = batches.drawn(step)
    for window, tops, lefts in zip(drawn.windows, drawn.tops, drawn.lefts, strict=True):
        for top, left in zip(tops, lefts, strict=True):
            before, after = window[-2:, top : top + size, left : left + size].astype(np.int32)
            if ((after - before) ** 2).sum() > batches.min_squared_change:
                break
        patches.append(window[:, top : top + size, left : left + size])
    scales = [_planes(patches)]
    while len(scales) < batches.scales:
        scales.insert(0, halve(scales[0]))
    return tuple(map(torch.from_numpy, scales))


def means(planes: Planes) -> Planes:
    """2x2 averages as one writes them down."""
    *leading, height, width = planes.shape
    averages: Planes = planes.reshape(*leading, height // 2, 2, width // 2, 2).mean(axis=(-3, -1))
    return averages


def strided_sums(planes: Planes) -> Planes:
    """2x2 averages for speed: `mean` over two short axes is slow in NumPy, sums of slices are not."""
    rows = planes[..., ::2, :] + planes[..., 1::2, :]
    return (rows[..., ::2] + rows[..., 1::2]) * np.float32(0.25)


def _planes(patches: Sequence[NDArray[np.uint8]]) -> Planes:
    """``(B, T, H, W, 3)`` to float32 ``(B, T, 3, H, W)`` in [-1, 1]."""
    planes = np.stack(patches).transpose(0, 1, 4, 2, 3).astype(np.float32, order="C")
    return planes / np.float32(127.5) - np.float32(1)


def measure(batch: int, frames: int, clip_set: ClipSet, *, quick: bool) -> list[StepRow]:
    """Rows of preparing batches of `batch` patches of `frames` frames."""
    batches = ClipBatches(clip_set, batch, frames=frames, seed=SEED)
    for halve in (means, strided_sums):
        for ours, theirs in zip(batches.at(0), numpy_batch(batches, 0, halve), strict=True):
            torch.testing.assert_close(ours, theirs)
    steps = iter(range(10**9))
    variants = {
        "numpy": Variant(lambda _: numpy_batch(batches, next(steps), means)),
        "numpy, strided sums": Variant(lambda _: numpy_batch(batches, next(steps), strided_sums)),
        "host module": Variant(lambda _: batches.at(next(steps))),
    }
    timings = wall_times(variants, None, device=torch.device("cpu"), quick=quick)
    job = f"loading {frames} frames of 32x32 at 4 scales, batch {batch}"
    return StepRow.group(SYSTEM, job, batch, timings, unit="clips")


def run(session: Session) -> None:
    clip_set = clips(2 if session.quick else 8)
    for batch, frames in ((64, 16), (8, 5)):
        session.record(measure(batch, frames, clip_set, quick=session.quick))


if __name__ == "__main__":
    run(open_session("clips", __doc__))

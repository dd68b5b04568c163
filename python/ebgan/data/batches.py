"""Training batches as a pure function of the seed and the step."""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan import host
from ebgan.data.decoded_batches import DecodedBatches
from ebgan.data.errors import DataError
from ebgan.data.image_files import ImageFiles
from ebgan.data.image_set import ImageSet
from ebgan.data.shuffled import Shuffled
from ebgan.errors import UserError, at_least

# Separate streams of random numbers under one seed: the order of each epoch, and the crops of each batch.
_ORDER_STREAM, _CROP_STREAM = 0, 1
_MOST = 1 << 30  # bytes of a batch: whoever asks for more has typed a figure too many


class Batches:
    """An endless sequence of shuffled batches in which every batch can be had by its number.

    Each epoch visits every image once, in an order of its own; a batch may span the seam of two epochs, so
    none is smaller than the others. Batch ``step`` depends on ``(seed, step)`` alone: a run resumed at a step
    sees what it would have seen, with no state to save.

    An image smaller than ``size`` is padded with black all around (one more at the bottom and right where the
    difference is odd), a larger one is cropped at a random place, each axis by itself. So images that were
    loaded larger than the batch have random crops, those that were loaded at its size the central one.

    :class:`ImageFiles` are decoded as they are needed, the next two batches ahead of time: memory holds three
    batches, whatever the size of the set. In place of a file that cannot be decoded comes the next one that
    can, in the order of their paths; warnings of the logger ``ebgan.data.images`` count and name them.

    Args:
        image_set: where the images come from; those in memory, or those that stay in their files.
        batch_size: B, images in a batch; may exceed the set.
        size: height h and width w of the batch; by default those of the images.
        flip: mirror each image left to right with probability 1/2.
        seed: non-negative integer.
        threads: the most threads that prepare a batch, by default one for each processor this process may
            use. The result does not depend on it.

    Raises:
        DataError: the set is empty.
        UserError: an option is out of range, or a batch takes more than 1 GiB.

    Example:
        >>> from ebgan.data import load
        >>> batches = Batches(load("digits"), batch_size=64, size=12, seed=1)
        >>> batches.at(1000).shape
        torch.Size([64, 1, 12, 12])
    """

    def __init__(
        self,
        image_set: ImageSet | ImageFiles,
        batch_size: int,
        *,
        size: int | None = None,
        flip: bool = False,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        if len(image_set) == 0:
            raise DataError(f"data set {image_set.name!r} ({image_set.split}) holds no images")
        at_least("batch_size", batch_size, 1)
        at_least("seed", seed, 0)
        if size is not None:
            at_least("size", size, 1)
        if threads is not None:
            at_least("threads", threads, 1)
        channels, height, width = image_set.shape
        self._output_size = (size or height, size or width)
        check_batch(batch_size, channels * math.prod(self._output_size))
        self.image_set = image_set
        self.batch_size = batch_size
        self.flip = flip
        self.seed = seed
        self.threads = threads if threads is not None else available_processors()
        self._shuffled = Shuffled(np.arange(len(image_set)), batch_size, (seed, _ORDER_STREAM))
        self._source: Callable[[int], tuple[NDArray[np.uint8], NDArray[np.int64]]]
        if isinstance(image_set, ImageFiles):
            decoded = DecodedBatches(image_set, self._shuffled.at, self.threads)
            self._source = lambda step: (decoded.at(step), np.arange(batch_size))
        else:
            self._source = lambda step: (image_set.images, self._shuffled.at(step))

    def at(self, step: int) -> Tensor:
        """Batch number ``step``, counted from 0: float32 ``(B, C, h, w)`` in [-1, 1], in host memory."""
        images, indices = self._source(step)
        random = np.random.default_rng((self.seed, _CROP_STREAM, step))
        top, left = (
            _offsets(random, have, want, self.batch_size)
            for have, want in zip(images.shape[2:], self._output_size, strict=True)
        )
        flip = random.random(self.batch_size) < 0.5 if self.flip else np.zeros(self.batch_size, np.bool_)
        batch = torch.empty((self.batch_size, images.shape[1], *self._output_size))
        host.image_batch(
            images=images,
            indices=indices,
            top=top,
            left=left,
            flip=flip,
            out=batch.numpy(),
            threads=self.threads,
        )
        return batch

    def __str__(self) -> str:
        kept = (
            f"decoded as they are needed by {self.threads} thread{'s' if self.threads > 1 else ''}"
            if isinstance(self.image_set, ImageFiles)
            else "in memory"
        )
        return f"{self.image_set.name} ({self.image_set.split}): {len(self.image_set):,} images, {kept}"

    def indices(self, step: int) -> NDArray[np.int64]:
        """The positions in the set, int64 ``(B,)``, of the images of batch ``step``, and of their labels."""
        return self._shuffled.at(step)


def _offsets(random: np.random.Generator, have: int, want: int, count: int) -> NDArray[np.int64]:
    """The starts of crops of ``want`` pixels on an axis of ``have``: centred padding or random places."""
    if have <= want:
        return np.full(count, -((want - have) // 2), np.int64)
    return random.integers(0, have - want, size=count, endpoint=True)


def check_batch(batch_size: int, numbers: int) -> None:
    """Raise `UserError` where a batch takes over 1 GiB, each example having so many float32 ``numbers``."""
    if batch_size * numbers * 4 > _MOST:
        size = f"{batch_size * numbers * 4 / 2**30:,.1f} GiB"
        raise UserError(
            f"batch_size: got {batch_size}, which makes batches of {size}; allowed are batches of up to "
            f"1 GiB, here up to {_MOST // (4 * numbers)} examples"
        )


def available_processors() -> int:
    if hasattr(os, "sched_getaffinity"):  # absent on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1

"""Batches of images that stay in their files, decoded by threads ahead of the step that needs them."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ebgan.data.decode import quiet_pillow
from ebgan.data.errors import DataError, reason
from ebgan.data.image_files import ImageFiles, log
from ebgan.data.skipped import first_few
from ebgan.errors import UserError

AHEAD = 2  # batches that are decoded before they are asked for
_IN_A_ROW = 100  # damaged files, after which it is the set that is damaged


@dataclass(frozen=True)
class _Begun:
    """A batch whose images are being decoded into `pixels`."""

    pixels: NDArray[np.uint8]
    images: tuple[Future[None], ...]

    def cancel(self) -> None:
        for image in self.images:
            image.cancel()


class DecodedBatches:
    """The images of each batch, decoded by threads; a batch depends on its number alone.

    Threads and not processes: files are decoded and scaled outside the interpreter's lock, nothing is copied
    between them, and none outlives the program. From JPEG of 256x256 to 64x64 an image takes 0.63 to 0.67 ms
    of the processor, by torch's DataLoader of two processes over Pillow 0.93 to 0.99, and two threads are 1.2
    to 1.4 times as fast as these (AMD EPYC, in turns, 2026-11-28).

    Args:
        files: the images.
        indices: the positions in the set of the images of a batch, by its number.
        threads: images that are decoded at a time.
    """

    def __init__(self, files: ImageFiles, indices: Callable[[int], NDArray[np.int64]], threads: int) -> None:
        quiet_pillow()
        self.files = files
        self._indices = indices
        self._begun: dict[int, _Begun] = {}
        self._damaged: dict[int, str] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ebgan-decode")
        # Without a reference to `self`, which would never be collected then.
        weakref.finalize(self, self._pool.shutdown, wait=False, cancel_futures=True)

    def at(self, step: int) -> NDArray[np.uint8]:
        """The images of batch ``step``, uint8 ``(B, 3, H, W)``; the next ones are begun.

        Raises:
            DataError: a hundred files in a row, or all, cannot be decoded.
        """
        wanted = range(step, step + 1 + AHEAD)
        for other in self._begun.keys() - set(wanted):
            self._begun.pop(other).cancel()
        for number in wanted:
            if number not in self._begun:
                self._begun[number] = self._begin(number)
        batch = self._begun.pop(step)
        wait(batch.images)
        for image in batch.images:
            image.result()  # raises what the thread raised
        return batch.pixels

    def _begin(self, step: int) -> _Begun:
        indices = self._indices(step)
        pixels = np.empty((len(indices), *self.files.shape), np.uint8)
        images = (
            self._pool.submit(self._decode, int(index), place)
            for index, place in zip(indices, pixels, strict=True)
        )
        return _Begun(pixels, tuple(images))

    def _decode(self, first: int, out: NDArray[np.uint8]) -> None:
        """Decode image number ``first`` into ``out``, or the first one behind it that can be."""
        count = len(self.files)
        for index in range(first, first + min(count, _IN_A_ROW)):
            if index % count in self._damaged:
                continue
            try:
                out[:] = self.files.decoded(index % count)
                return
            except (MemoryError, UserError):
                raise
            except Exception as error:  # the file's fault, by whatever name Pillow or zipfile calls it
                self._skip(index % count, reason(error))
        raise DataError(
            f"{self.files.root} holds no usable image among {min(count, _IN_A_ROW)} in a row: "
            f"{first_few(self._named())}"
        )

    def _skip(self, index: int, why: str) -> None:
        """Remember a damaged file, and tell of all so far whenever their number is a power of two."""
        with self._lock:
            if index in self._damaged:
                return
            self._damaged[index] = why
            number = len(self._damaged)
        if not number & (number - 1):
            count = number, len(self.files), self.files.root
            log.warning("ebgan: skipped %d so far of %d images of %s: %s", *count, first_few(self._named()))

    def _named(self) -> list[str]:
        with self._lock:
            return [f"{self.files.files[index]!r} ({why})" for index, why in self._damaged.items()]

"""Labelled images that stay in their files, and are decoded when they are asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.decode import decode, strict_pillow
from ebgan.data.errors import DataError
from ebgan.data.image_set import ImageSet
from ebgan.data.listing import Listing
from ebgan.data.skipped import each_file, first_few
from ebgan.errors import UserError
from ebgan.files import StrPath

log = logging.getLogger("ebgan.data.images")


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Labelled images of one split, in a folder, a zip or tars.

    Attributes:
        root: what they lie in.
        listing: opens each of them.
        files: their names in `listing`, in the order of the sorted paths.
        labels: int64 ``(N,)``, each an index into ``classes``; of files that turn out to be damaged, too.
        name: name of the data set, as :func:`ebgan.data.load` takes it.
        split: which part of it, ``"train"`` or ``"test"``.
        classes: what each label means, in order.
        size: height and width that the images are brought to as they are decoded; None leaves each its own.
    """

    root: StrPath
    listing: Listing = field(repr=False)
    files: Sequence[str] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    name: str
    split: str
    classes: tuple[str, ...]
    size: int | None

    def __len__(self) -> int:
        return len(self.files)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of each image.

        Raises:
            UserError: there is no size that they are brought to.
        """
        if self.size is None:
            raise UserError(f"size: is missing; images that stay in {self.root} are brought to one size")
        return 3, self.size, self.size

    @property
    def nbytes(self) -> int:
        """The bytes that all images take in memory."""
        channels, height, width = self.shape
        return len(self) * channels * height * width

    def decoded(self, index: int) -> NDArray[np.uint8]:
        """Image ``index``, uint8 ``(3, H, W)``; it raises whatever a damaged file makes Pillow raise."""
        with self.listing.open_file(self.files[index]) as file:
            return decode(file, self.size)

    def close(self) -> None:
        """Close the zip; no image can be decoded any more."""
        self.listing.close()

    def in_memory(self) -> ImageSet:
        """Decode all images; those that cannot be are skipped, counted and named in one warning.

        Memory: the array and the few files that are being decoded.

        Raises:
            DataError: no image is usable, or they are of several sizes and there is no ``size``.
        """
        files, root = self.files, self.root
        images = np.empty((0, 3, 0, 0), np.uint8)
        kept: list[int] = []
        skipped: list[str] = []
        results = each_file(range(len(files)), self.decoded, title=Path(root).name, unit="image")
        with strict_pillow(), closing(results):
            for index, result in enumerate(results):
                if isinstance(result, str):
                    skipped.append(f"{files[index]!r} ({result})")
                    continue
                if not kept:
                    images = np.empty((len(files), *result.shape), np.uint8)
                elif result.shape != images.shape[1:]:
                    (_, height, width), (_, other_height, other_width) = images.shape[1:], result.shape
                    raise DataError(
                        f"{root}: {files[kept[0]]!r} is {width}x{height}, {files[index]!r} is "
                        f"{other_width}x{other_height}; give a size (size=) that all are brought to"
                    )
                images[len(kept)] = result
                kept.append(index)
        if not kept:
            raise DataError(
                f"{root} holds no usable image, {len(files)} files looked at: {first_few(skipped)}"
            )
        if skipped:
            count = len(skipped), len(files)
            log.warning("ebgan: skipped %d of %d images of %s: %s", *count, root, first_few(skipped))
        return ImageSet(images[: len(kept)], self.labels[kept], self.name, self.split, self.classes)

"""The form in which every set of still images reaches the training code."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images of one size, held in memory.

    Attributes:
        images: uint8 ``(N, C, H, W)``, 0 black to 255 white, in C order.
        labels: int64 ``(N,)``, each an index into ``classes``.
        name: name of the data set, as :func:`ebgan.data.load` takes it.
        split: which part of it, ``"train"`` or ``"test"``.
        classes: what each label means, in order.

    Raises:
        DataError: an array has another type or shape, or a label has no class.

    Example:
        >>> import numpy as np
        >>> images = np.zeros((4, 1, 8, 8), np.uint8)
        >>> labels = np.zeros(4, np.int64)
        >>> blank = ImageSet(images, labels, name="blank", split="train", classes=("black",))
        >>> len(blank)
        4
    """

    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    name: str
    split: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or not self.images.flags.c_contiguous:
            raise DataError(
                f"{self.name}: images are {self.images.dtype} {self.images.shape}, expected uint8 "
                "(N, C, H, W) in C order; numpy.ascontiguousarray(images) orders them"
            )
        if self.labels.dtype != np.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"{self.name}: labels are {self.labels.dtype} {self.labels.shape}, expected int64 "
                f"({len(self.images)},), one for each image"
            )
        if len(self) and not (self.labels.min() >= 0 and self.labels.max() < len(self.classes)):
            raise DataError(
                f"{self.name}: labels run from {self.labels.min()} to {self.labels.max()}, but there are "
                f"{len(self.classes)} classes, numbered from 0"
            )

    def __len__(self) -> int:
        return len(self.images)

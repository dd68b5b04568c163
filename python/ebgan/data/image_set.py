"""The form in which every set of still images reaches the training code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError

CLASS = "class"


@dataclass(frozen=True, eq=False)
class Factor:
    """One way in which images differ: ``labels``, int64 ``(N,)``, each an index into ``values``."""

    labels: NDArray[np.int64] = field(repr=False)
    values: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images of one size, held in memory.

    Attributes:
        images: uint8 ``(N, C, H, W)``, 0 black to 255 white, in C order.
        labels: int64 ``(N,)``, each an index into ``classes``.
        name: name of the data set, as :func:`ebgan.data.load` takes it.
        split: which part of it, ``"train"`` or ``"test"``.
        classes: what each label means, in order.
        further: what else is known of the images, such as pose and light, by name. :attr:`factors` has these
            and the class.

    Raises:
        DataError: an array has another type or shape, a label has no meaning, or a further factor is named
            ``"class"``.

    Example:
        >>> import numpy as np
        >>> images = np.zeros((4, 1, 8, 8), np.uint8)
        >>> labels = np.zeros(4, np.int64)
        >>> light = Factor(np.array([0, 1, 0, 1]), ("left", "right"))
        >>> blank = ImageSet(images, labels, "blank", "train", ("black",), further={"light": light})
        >>> len(blank), list(blank.factors)
        (4, ['class', 'light'])
    """

    images: NDArray[np.uint8] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    name: str
    split: str
    classes: tuple[str, ...]
    further: Mapping[str, Factor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or not self.images.flags.c_contiguous:
            raise DataError(
                f"{self.name}: images are {self.images.dtype} {self.images.shape}, expected uint8 "
                "(N, C, H, W) in C order; numpy.ascontiguousarray(images) orders them"
            )
        if CLASS in self.further:
            raise DataError(
                f"{self.name}: 'class' is the factor of labels and classes; name others otherwise"
            )
        self._check("labels", "classes", Factor(self.labels, self.classes))
        for name, factor in self.further.items():
            self._check(f"labels of {name}", "values", factor)

    def _check(self, labels: str, values: str, factor: Factor) -> None:
        found, count = factor.labels, len(factor.values)
        if found.dtype != np.int64 or found.shape != self.images.shape[:1]:
            raise DataError(
                f"{self.name}: {labels} are {found.dtype} {found.shape}, expected int64 ({len(self)},), one "
                "for each image"
            )
        if len(self) and not (found.min() >= 0 and found.max() < count):
            raise DataError(
                f"{self.name}: {labels} run from {found.min()} to {found.max()}, but there are {count} "
                f"{values}, numbered from 0"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of each image."""
        _, channels, height, width = self.images.shape
        return channels, height, width

    @property
    def factors(self) -> dict[str, Factor]:
        """Every factor of the images by its name; the class, which every set has, comes first."""
        return {CLASS: Factor(self.labels, self.classes), **self.further}

    def __len__(self) -> int:
        return len(self.images)

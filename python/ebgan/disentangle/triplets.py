"""Training batches of triplets: two images of one identity, and one of any."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan import host
from ebgan.data import DataError, ImageSet
from ebgan.data.batches import available_processors, check_batch
from ebgan.errors import UserError, at_least, did_you_mean

_STREAM = 0


class Triplets(NamedTuple):
    """B triplets: `images` (3, B, C, H, W) in [-1, 1] and `ids` (3, B, K); the first two share their ids."""

    images: Tensor
    ids: Tensor


class Identities:
    """Which images of a set are of the same identity: those that have the same values of all named factors.

    Attributes:
        ids: int64 (N, K), the number of each image's value of every factor.
        counts: how many values each factor has.
        groups: the numbers of the images of each identity that the set holds.

    Raises:
        DataError: the set is empty.
        UserError: a factor that the set does not have.

    Example:
        >>> from ebgan.data import load
        >>> digits = Identities(load("digits"), ("class",))
        >>> digits.counts, len(digits.groups)
        ((10,), 10)
    """

    def __init__(self, images: ImageSet, factors: tuple[str, ...]) -> None:
        if not len(images):
            raise DataError(f"data set {images.name!r} ({images.split}) holds no images")
        for factor in factors:
            if factor not in images.factors:
                known = ", ".join(images.factors)
                near = did_you_mean(factor, images.factors)
                raise UserError(
                    f"identity: got {factor!r}, but the factors of {images.name!r} are {known}{near}"
                )
        chosen = [images.factors[factor] for factor in factors]
        self.ids: NDArray[np.int64] = np.stack([factor.labels for factor in chosen], 1)
        self.counts = tuple(len(factor.values) for factor in chosen)
        self.names = tuple(factor.values for factor in chosen)
        number = np.ravel_multi_index(tuple(self.ids.T), self.counts)
        order = np.argsort(number, kind="stable")
        starts = np.flatnonzero(np.diff(number[order])) + 1
        self.groups: list[NDArray[np.int64]] = np.split(order, starts)

    def name(self, image: int) -> str:
        """The values of the factors of image number `image`, in words."""
        return ", ".join(values[label] for values, label in zip(self.names, self.ids[image], strict=True))


class TripletBatches:
    """An endless sequence of batches of triplets that can be had by number.

    The identity of the first two images and that of the third are drawn uniformly and independently, then
    the images, the first two of them different ones. Batch ``step`` depends on ``(seed, step)`` alone.

    Args:
        images: where they come from.
        identities: which of them are of one identity.
        batch_size: B.
        seed: non-negative integer.
        threads: the most threads that prepare a batch, by default one for each processor.

    Raises:
        UserError: an identity has one image only, an option is out of range, or a batch takes over 1 GiB.

    Example:
        >>> from ebgan.data import load
        >>> digits = load("digits")
        >>> batches = TripletBatches(digits, Identities(digits, ("class",)), batch_size=4)
        >>> batches.at(1000).images.shape
        torch.Size([3, 4, 1, 8, 8])
    """

    def __init__(
        self,
        images: ImageSet,
        identities: Identities,
        batch_size: int,
        *,
        seed: int = 0,
        threads: int | None = None,
    ) -> None:
        at_least("batch_size", batch_size, 1)
        at_least("seed", seed, 0)
        check_batch(batch_size, 3 * math.prod(images.images.shape[1:]))
        for group in identities.groups:
            if len(group) < 2:
                raise UserError(
                    f"identity: {identities.name(int(group[0]))!r} has one image only in {images.name!r}, a "
                    "triplet needs two; choose other factors, or leave that image out"
                )
        self.images, self.identities, self.batch_size, self.seed = images, identities, batch_size, seed
        self.threads = threads if threads is not None else available_processors()
        self._sizes = np.array([len(group) for group in identities.groups])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._order = np.concatenate(identities.groups)

    def at(self, step: int) -> Triplets:
        """Batch number ``step``, counted from 0, in host memory."""
        numbers = self.numbers(step)
        batch = torch.empty(numbers.size, *self.images.images.shape[1:])
        zeros = np.zeros(numbers.size, np.int64)
        host.image_batch(
            images=self.images.images,
            indices=numbers.ravel(),
            top=zeros,
            left=zeros,
            flip=np.zeros(numbers.size, np.bool_),
            out=batch.numpy(),
            threads=self.threads,
        )
        ids = torch.from_numpy(self.identities.ids[numbers])
        return Triplets(batch.unflatten(0, numbers.shape), ids)

    def numbers(self, step: int) -> NDArray[np.int64]:
        """The positions in the set, int64 (3, B), of the images of batch ``step``."""
        at_least("step", step, 0)
        random = np.random.default_rng((self.seed, _STREAM, step))
        pair, other = random.integers(len(self._sizes), size=(2, self.batch_size))
        first = random.integers(self._sizes[pair])
        second = (first + random.integers(1, self._sizes[pair])) % self._sizes[pair]
        third = random.integers(self._sizes[other])
        starts = self._starts[np.stack([pair, pair, other])]
        return self._order[starts + np.stack([first, second, third])]

    def __str__(self) -> str:
        images, groups = self.images, self.identities.groups
        return f"{images.name} ({images.split}): {len(images):,} images of {len(groups):,} identities"

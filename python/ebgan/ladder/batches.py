"""Batches of few labelled and many unlabelled examples, each network's from its own seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ebgan.data import DataError, ImageSet
from ebgan.data.batches import check_batch
from ebgan.data.shuffled import Shuffled
from ebgan.errors import UserError, at_least

# Separate streams of random numbers under one seed.
_CHOICE, _LABELLED, _UNLABELLED = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Examples:
    """Classified vectors in memory: `features` (N, D), floating, [0, 1] for images; `labels` (N,) int64.

    `name` and `classes` name the data and its classes in messages.

    Raises:
        DataError: other shapes or dtypes, NaN or infinite features, or a label without a class.
    """

    features: Tensor
    labels: Tensor
    classes: tuple[str, ...]
    name: str = "data"

    def __post_init__(self) -> None:
        features, labels = self.features, self.labels
        if features.dim() != 2 or not features.is_floating_point():
            raise DataError(
                f"{self.name}: features are {features.dtype} {tuple(features.shape)}, expected "
                "floating (N, D)"
            )
        if labels.dtype != torch.int64 or labels.shape != features.shape[:1]:
            raise DataError(
                f"{self.name}: labels are {labels.dtype} {tuple(labels.shape)}, expected int64 "
                f"({len(features)},), one for each example"
            )
        broken = (~features.isfinite()).any(1).nonzero().flatten().tolist()
        if broken:
            raise DataError(
                f"{self.name}: {len(broken)} of {len(features)} examples hold NaN or infinite values, the "
                f"first is number {broken[0]}; repair or remove them"
            )
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(self.classes)):
            raise DataError(
                f"{self.name}: labels run from {int(labels.min())} to {int(labels.max())}, but there are "
                f"{len(self.classes)} classes, numbered from 0"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, first: int, last: int) -> Examples:
        """The examples from number `first` to before `last`."""
        return Examples(self.features[first:last], self.labels[first:last], self.classes, self.name)


def examples(images: ImageSet, device: torch.device | str = "cpu") -> Examples:
    """The images of a set as vectors of their pixels, 0 black to 1 white, on `device`."""
    pixels = torch.from_numpy(images.images).to(device).flatten(1).float().div_(255)
    return Examples(pixels, torch.from_numpy(images.labels).to(device), images.classes, images.name)


class Batch(NamedTuple):
    """A batch for S networks: `labelled` (S, B, D) of classes `labels` (S, B), and `unlabelled` (S, B, D).

    `hidden_labels` (S, B) of the unlabelled examples are for the log alone; -1 where they are unknown.
    """

    labelled: Tensor
    labels: Tensor
    unlabelled: Tensor
    hidden_labels: Tensor


class SemiSupervisedBatches:
    """An endless sequence of batches that can be had by number, for S networks with a seed each.

    Each seed chooses `labels` examples, as many of every class, whose labels it may see. Labelled ones and
    all, as unlabelled ones, come in a shuffled order of their own, anew in every epoch. Batch ``step``
    depends on ``(seed, step)`` alone.

    Args:
        data: the examples to learn from.
        labels: number of examples with a label, a multiple of the classes; or all.
        batch_size: B.
        seeds: one for each network.

    Raises:
        DataError: there are no examples.
        UserError: `labels`, `batch_size` or a seed is out of range, or a batch takes more than 1 GiB.

    Example:
        >>> from ebgan.data import load
        >>> batches = SemiSupervisedBatches(examples(load("digits")), labels=50, batch_size=32, seeds=(0, 1))
        >>> batches.at(1000).labelled.shape
        torch.Size([2, 32, 64])
    """

    def __init__(self, data: Examples, *, labels: int, batch_size: int, seeds: Sequence[int]) -> None:
        if len(data) == 0:
            raise DataError(f"data set {data.name!r} holds no examples")
        at_least("batch_size", batch_size, 2)
        for seed in seeds:
            at_least("seed", seed, 0)
        check_batch(batch_size, 2 * len(seeds) * data.features.shape[1])  # labelled ones and others
        self.data, self.batch_size = data, batch_size
        classes = data.labels.cpu().numpy()
        everything = np.arange(len(data))
        random = (np.random.default_rng((seed, _CHOICE)) for seed in seeds)
        self.chosen = [_choose(data, classes, labels, each) for each in random]
        self._labelled = [
            Shuffled(of, batch_size, (seed, _LABELLED)) for of, seed in zip(self.chosen, seeds, strict=True)
        ]
        self._unlabelled = [Shuffled(everything, batch_size, (seed, _UNLABELLED)) for seed in seeds]

    def __str__(self) -> str:
        return f"{self.data.name}: {len(self.data):,} examples, {len(self.chosen[0]):,} of them with a label"

    def at(self, step: int) -> Batch:
        """Batch number ``step``, counted from 0, on the device of the data."""
        labelled, labels = self._gather(self._labelled, step)
        return Batch(labelled, labels, *self._gather(self._unlabelled, step))

    def _gather(self, orders: list[Shuffled], step: int) -> tuple[Tensor, Tensor]:
        data = self.data
        numbers = torch.from_numpy(np.stack([order.at(step) for order in orders])).to(data.labels.device)
        return data.features[numbers], data.labels[numbers]


def _choose(
    data: Examples, of: NDArray[np.int64], count: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """The numbers of `count` examples, as many of each class; of all where there are no more."""
    classes = len(data.classes)
    if count == len(of):
        return np.arange(count)
    if count > len(of):
        raise UserError(f"labels: got {count}, but {data.name!r} has {len(of)} examples to learn from")
    if count < classes or count % classes:
        raise UserError(
            f"labels: got {count}, allowed are multiples of {classes}, the number of classes, and "
            f"all {len(of)}"
        )
    each = count // classes
    there = np.bincount(of, minlength=classes)
    if there.min() < each:
        rare = int(there.argmin())
        raise UserError(
            f"labels: got {count}, {each} of each class, but class {data.classes[rare]!r} has {there[rare]}; "
            f"allowed are up to {there[rare] * classes}, and all {len(of)}"
        )
    picked = [random.permutation(np.flatnonzero(of == label))[:each] for label in range(classes)]
    return np.concatenate(picked)

"""Sets of video clips by name: each file of this folder that holds one describes it by a `ClipSource`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from ebgan.data.bouncing import Bounce
from ebgan.data.clip_set import ClipSet
from ebgan.data.errors import DataError
from ebgan.data.registry import Place, Root, Split
from ebgan.errors import UserError, at_least, did_you_mean, one_of

MEMORY = 4 << 30  # 4 GiB


@dataclass(frozen=True)
class ClipOptions:
    """The options that :func:`load_clips` passes to a source; one that was not given is None."""

    size: int | None = None
    bounce: Bounce | None = None
    fold: int | None = None
    memory: int = MEMORY


@dataclass(frozen=True)
class ClipSource:
    """A set of clips, and how it is read.

    Attributes:
        name: what users call it.
        load: ``(split, root, options) -> ClipSet``.
        about, place: as those of a :class:`ebgan.data.Source`.
        options: the names among ``size``, ``bounce`` and ``fold`` that it takes.
        has_test: whether the files below a root, from which the train split was loaded, have a test split.
    """

    name: str
    load: Callable[[Split, Root, ClipOptions], ClipSet]
    about: str
    place: Place
    options: frozenset[str] = frozenset()
    has_test: Callable[[Root, ClipOptions], bool] = lambda root, options: True


_sources: dict[str, ClipSource] = {}


def register_clips(source: ClipSource) -> None:
    """Make a set of clips known by its name; ValueError where another has that name."""
    if source.name in _sources:
        raise ValueError(f"a set of clips named {source.name!r} is registered already")
    _sources[source.name] = source


def clip_sources() -> tuple[ClipSource, ...]:
    """Every set of clips that :func:`load_clips` knows, by name."""
    return tuple(_sources[name] for name in clip_names())


def clip_names() -> tuple[str, ...]:
    """Names that :func:`load_clips` knows, sorted."""
    return tuple(sorted(_sources))


def load_clips(
    name: str,
    split: Split = "train",
    root: Root = None,
    *,
    size: int | None = None,
    bounce: Bounce | None = None,
    fold: int | None = None,
    memory: int = MEMORY,
) -> ClipSet:
    """Open one split of a set of clips.

    Args:
        name: one of :func:`clip_names`.
        split: ``"train"`` or ``"test"``.
        root: folder that holds the data sets, each in a folder of its own name; by default ``$EBGAN_DATA``.
            ``moving-digits`` needs none; for ``videos`` it is the folder of videos itself, and always given.
        size: height and width of the frames of ``moving-digits``, by default 64.
        bounce: how ``moving-digits`` leave a wall: ``"mirror"``, the default, or ``"random"``, which makes
            the future uncertain.
        fold: 1, 2 or 3: which official split of ``ucf101``; by default its folders ``train`` and ``test``.
        memory: bytes that decoded frames may take, by default 4 GiB; files beyond that are decoded
            again for every patch.

    Raises:
        DataError: unknown name or split, an option that this set has no use for, no data root, or files that
            are missing or cannot be read.
        UserError: an option is out of range.

    Example:
        >>> digits = load_clips("moving-digits", bounce="random")
        >>> digits.clips[7].frames(10, count=3).shape
        (3, 64, 64, 3)
    """
    if name not in _sources:
        near = did_you_mean(name, clip_names())
        raise DataError(f"unknown set of clips {name!r}; known are {', '.join(clip_names())}{near}")
    source = _sources[name]
    if split not in get_args(Split):
        raise DataError(f"unknown split {split!r}: a data set has {' and '.join(map(repr, get_args(Split)))}")
    options = ClipOptions(size, bounce, fold, memory)
    for option in ("size", "bounce", "fold"):
        if getattr(options, option) is not None and option not in source.options:
            raise UserError(f"{option}: data set {name!r} has no use for it; leave it out")
    if bounce is not None:
        one_of("bounce", bounce, get_args(Bounce))
    if fold is not None:
        one_of("fold", fold, (1, 2, 3))
    at_least("memory", memory, 0)
    return source.load(split, root, options)


def has_test_clips(name: str, root: Root = None, *, fold: int | None = None) -> bool:
    """Whether the set of clips ``name``, whose train split can be loaded, has a test split, too."""
    return _sources[name].has_test(root, ClipOptions(fold=fold))

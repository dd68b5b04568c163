"""``moving-digits``: scikit-learn's handwritten digits bouncing in a black frame, embedded and endless.

With ``bounce="random"`` no one can know where a digit goes after it met a wall, but the mean of all its
futures, which is what an l2 loss makes a network predict, is known exactly.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ebgan.data.bouncing import Bounce, Bouncing, State
from ebgan.data.clip_registry import ClipOptions, ClipSource
from ebgan.data.clip_set import Clip, ClipSet, Frames
from ebgan.data.digits import load_digits
from ebgan.data.image_set import ImageSet
from ebgan.data.registry import Root, Split
from ebgan.errors import UserError, at_least

_COUNT = {"train": 10_000, "test": 200}
_LENGTH = 64  # frames of a clip: 4 that go in and 50 to predict, and more
_MAGNIFIED = 2  # 8x8 pixels to 16x16, each repeated: edges stay sharp
_SPEEDS = (2, 3, 4)  # pixels a frame


class MovingDigits:
    """The clips of one split: each a digit of that split of ``digits``, white on black, at 16x16 pixels.

    A clip is drawn anew whenever it is read, from the seed, the split and its number alone; 10,000 clips of
    64 frames to train, 200 to test. All three colours are equal. The law of motion is
    :class:`ebgan.data.bouncing.Bouncing`, with speeds of 2 to 4 pixels a frame.

    Args:
        split: ``"train"`` or ``"test"``.
        size: height and width of the frame, more than 16. Patches show no walls unless they are as large as
            the frame: to a network that sees less, bounces are a surprise in either mode.
        bounce: ``"mirror"``, or ``"random"`` for an uncertain future.
        seed: non-negative integer.

    Raises:
        UserError: ``size`` or ``seed`` is out of range.

    Example:
        >>> digits = MovingDigits("test", size=32, bounce="random")
        >>> digits.state(3, frame=10)
        State(top=9, left=0, down=3, right=-1)
        >>> digits.mean_of_futures(3, frame=10, count=4).shape
        torch.Size([4, 3, 32, 32])
    """

    def __init__(self, split: Split, *, size: int = 64, bounce: Bounce = "mirror", seed: int = 0) -> None:
        at_least("seed", seed, 0)
        self.digits = _digits(split)
        self.digit_size = _MAGNIFIED * self.digits.images.shape[-1]
        if size <= self.digit_size:
            raise UserError(
                f"size: got {size}, allowed are whole numbers above {self.digit_size}, a digit's size"
            )
        self.split: Split = split
        self.size = size
        self.seed = seed
        self.motion = Bouncing(size - self.digit_size, bounce)

    def __len__(self) -> int:
        return _COUNT[self.split]

    def clip_set(self) -> ClipSet:
        """The set of all clips; the class of each is its digit, and each is a group of its own."""
        labels = (int(self.digits.labels[self._digit(clip)]) for clip in range(len(self)))
        clips = tuple(
            Clip(str(number), label, str(number), _LENGTH, self.size, self.size, partial(self._read, number))
            for number, label in enumerate(labels)
        )
        return ClipSet(clips, "moving-digits", self.split, self.digits.classes)

    def state(self, clip: int, frame: int) -> State:
        """The place of the digit of clip number ``clip`` in ``frame``, and the step that led there."""
        return self._path(clip, frame + 1)[-1]

    def mean_of_futures(self, clip: int, frame: int, count: int) -> Tensor:
        """The mean, over all that may happen, of the ``count`` frames after ``frame``.

        float32 ``(count, 3, H, W)`` in [-1, 1], black is -1. No prediction by one who has seen the frames up
        to ``frame`` has a smaller expected l2 error.
        """
        mean = np.zeros((count, self.size, self.size))
        ink = self._image(clip) / 255.0
        for picture, places in zip(mean, self.motion.futures(self.state(clip, frame), count), strict=True):
            for (top, left), probability in places.items():
                picture[top : top + self.digit_size, left : left + self.digit_size] += probability * ink
        return torch.from_numpy(2 * mean - 1).float()[:, None].repeat(1, 3, 1, 1)

    def _read(self, clip: int, start: int, stop: int) -> Frames:
        frames = np.zeros((stop - start, self.size, self.size, 3), np.uint8)
        image = self._image(clip)[..., None]
        for frame, (top, left, _, _) in zip(frames, self._path(clip, stop)[start:], strict=True):
            frame[top : top + self.digit_size, left : left + self.digit_size] = image
        return frames

    def _path(self, clip: int, count: int) -> list[State]:
        random = self._random(clip)
        random.integers(len(self.digits))  # the digit, drawn before
        return self.motion.path(self.motion.begin(random, _SPEEDS), count, random)

    def _image(self, clip: int) -> Frames:
        image = self.digits.images[self._digit(clip), 0]
        return image.repeat(_MAGNIFIED, axis=0).repeat(_MAGNIFIED, axis=1)

    def _digit(self, clip: int) -> int:
        return int(self._random(clip).integers(len(self.digits)))

    def _random(self, clip: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.split == "test", clip))


@lru_cache
def _digits(split: Split) -> ImageSet:
    return load_digits(split)


def load_moving_digits(split: Split, root: Root, options: ClipOptions) -> ClipSet:
    """One split of the moving digits, with seed 0; they need no root."""
    given = {"size": options.size, "bounce": options.bounce}
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return MovingDigits(split, **chosen).clip_set()


SOURCE = ClipSource(
    "moving-digits",
    load_moving_digits,
    "10,200 films of a handwritten digit that bounces in a frame",
    "embedded",
    options=frozenset({"size", "bounce"}),
)

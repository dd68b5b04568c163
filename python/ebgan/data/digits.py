"""``digits``: 1,797 handwritten digits of 8x8 pixels that come inside scikit-learn.

Small enough to train on within a minute and always there, so demos and tests start here.

Source: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998 (its test part).
"""

from __future__ import annotations

import numpy as np

from ebgan.data.image_set import ImageSet
from ebgan.data.registry import Root, Source, Split
from ebgan.errors import require

_WHITE = 16  # scikit-learn stores the count of set pixels in each 4x4 block
_TEST_EVERY = 5


def load_digits(split: Split, root: Root = None, size: int | None = None) -> ImageSet:
    """One split of the digits, 1,442 to train and 355 to test; they need no root and are 8x8 always.

    Within each class every fifth digit, in file order, belongs to the test split: the same ones on every
    machine and under every version of scikit-learn.
    """
    embedded = require("sklearn.datasets").load_digits()
    labels = embedded.target.astype(np.int64)
    images = np.rint(embedded.images * (255 / _WHITE)).astype(np.uint8)[:, None]

    is_test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        is_test[np.flatnonzero(labels == label)[_TEST_EVERY - 1 :: _TEST_EVERY]] = True
    chosen = is_test if split == "test" else ~is_test
    return ImageSet(images[chosen], labels[chosen], "digits", split, tuple("0123456789"))


SOURCE = Source("digits", load_digits, "1,797 handwritten digits, grey, 8x8 pixels", "embedded")

"""Batches that do not belong together are refused by every network of the systems that takes several."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from ebgan.errors import UserError
from ebgan.ladder.combinators import combinator
from ebgan.video import discriminator, generator
from support.errors import assert_refused


def clips(count: int, frames: int, finest: int | None = None) -> list[torch.Tensor]:
    """Black clips at the four scales of the video networks, of `finest` instead of `count` at the last."""
    counts = [count, count, count, finest or count]
    return [torch.zeros(n, frames, 3, side, side) for n, side in zip(counts, (4, 8, 16, 32), strict=True)]


NETWORKS: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "scales of a video generator": (
        lambda: generator("8to8", width=0.1)(clips(2, 8, finest=3)),
        ("frames: got batches of 2, 2, 2, 3 clips", "one batch at all scales"),
    ),
    "frames and targets of a video discriminator": (
        lambda: discriminator("8to8", width=0.1)(clips(2, 8), clips(3, 8)),
        ("targets: got 3 clips", "allowed are 2"),
    ),
    "z and u of a combinator": (
        lambda: combinator("sig", 1, 3)(torch.zeros(1, 4, 3), torch.zeros(1, 1, 3)),
        ("u: got (1, 1, 3)", "allowed is (1, 4, 3)"),
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_batches_that_differ_are_refused(name: str) -> None:
    call, fragments = NETWORKS[name]
    assert_refused(call, UserError, fragments)

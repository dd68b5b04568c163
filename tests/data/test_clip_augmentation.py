"""Random changes of patches: each option alone does what it says, to all frames and scales alike."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ebgan.data import Clip, ClipAugmentation, ClipBatches, ClipSet
from ebgan.errors import UserError

COUNT = 64


def batches(**options: Any) -> ClipBatches:
    """Patches of a film whose red rises by one level a frame, green to the right, and whose blue flickers."""
    frames = np.zeros((12, 8, 8, 3), np.uint8)
    frames[..., 0] = np.arange(12)[:, None, None]
    frames[..., 1] = 10 * np.arange(8)
    frames[..., 2] = 100 + 100 * (np.arange(12) % 2)[:, None, None]
    films = ClipSet((Clip.of(frames, "film", label=0),), "own", "train", ("a",))
    augmentation = ClipAugmentation(**options) if options else None
    return ClipBatches(films, COUNT, frames=4, size=8, scales=3, augmentation=augmentation)


def levels(patches: Tensor) -> Tensor:
    return ((patches + 1) * 127.5).round()


def rising(patches: Tensor, dim: int) -> list[bool]:
    """Whether each patch rises along the dimension: all of its values, or none."""
    steps = patches.diff(dim=dim).flatten(1) > 0
    assert ((steps.all(1)) | (~steps.any(1))).all()
    return steps.all(1).tolist()


def test_half_of_the_patches_are_mirrored() -> None:
    plain, flipped = (levels(each.at(3)[-1]) for each in (batches(), batches(flip=True)))
    straight = rising(flipped[:, :, 1], 3)
    assert 16 <= sum(straight) <= 48
    for patch, as_it_was, kept in zip(flipped, plain, straight, strict=True):
        assert torch.equal(patch, as_it_was if kept else as_it_was.flip(-1))


def test_half_of_the_patches_are_played_backwards() -> None:
    plain, reversed_ = (levels(each.at(3)[-1]) for each in (batches(), batches(reverse_time=True)))
    forwards = rising(reversed_[:, :, 0], 1)
    assert 16 <= sum(forwards) <= 48
    for patch, as_it_was, kept in zip(reversed_, plain, forwards, strict=True):
        assert torch.equal(patch, as_it_was if kept else as_it_was.flip(0))


def test_colour_channels_are_exchanged_in_all_six_orders() -> None:
    plain, permuted = (levels(each.at(3)[-1]) for each in (batches(), batches(permute_colours=True)))
    orders = set()
    for patch, as_it_was in zip(permuted, plain, strict=True):
        order = tuple(
            next(source for source in range(3) if torch.equal(patch[:, channel], as_it_was[:, source]))
            for channel in range(3)
        )
        orders.add(order)
    assert len(orders) == 6 and all(sorted(order) == [0, 1, 2] for order in orders)


def test_a_colour_keeps_one_gain_and_offset_over_the_patch() -> None:
    plain, scaled = batches().at(3)[-1], batches(scale_colours=0.2).at(3)[-1]
    x, y = plain[:, :, 1].flatten(1), scaled[:, :, 1].flatten(1)
    # Values at -1 may be cut off; between two others the gain is the ratio of the differences.
    gains = (y[:, 7] - y[:, 4]) / (x[:, 7] - x[:, 4])
    offsets = y[:, 7] - gains * x[:, 7]
    torch.testing.assert_close(y, (gains[:, None] * x + offsets[:, None]).clamp(-1, 1))
    assert 0.8 <= gains.min() < 0.85 and 1.15 < gains.max() <= 1.2
    assert -0.2 <= offsets.min() < -0.15 and 0.15 < offsets.max() <= 0.2


def test_scales_stay_averages_of_the_next_finer() -> None:
    batch = batches(flip=True, reverse_time=True, permute_colours=True, scale_colours=0.9).at(0)
    assert [tuple(scale.shape[-2:]) for scale in batch] == [(2, 2), (4, 4), (8, 8)]
    for coarse, fine in pairwise(batch):
        torch.testing.assert_close(coarse, avg_pool2d(fine.flatten(0, 1), 2).view_as(coarse))
    assert batch[-1].min() == -1 and batch[-1].max() <= 1


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    options: dict[str, Any] = {"flip": True, "reverse_time": True, "scale_colours": 0.3}
    there, back = batches(**options), batches(**options)
    forward = [there.at(step) for step in range(3)]
    for step in (2, 0):
        assert all(map(torch.equal, back.at(step), forward[step]))
    assert not torch.equal(forward[0][-1], forward[1][-1])


def test_nothing_switched_on_changes_nothing() -> None:
    off = batches(flip=False)
    assert off.augmentation == ClipAugmentation()
    assert torch.equal(off.at(5)[-1], batches().at(5)[-1])


@pytest.mark.parametrize("value", [-0.1, 1.0, float("nan")])
def test_a_wrong_range_of_colours_is_refused(value: float) -> None:
    with pytest.raises(UserError, match=r"scale_colours: got .* allowed is 0 to below 1"):
        ClipAugmentation(scale_colours=value)

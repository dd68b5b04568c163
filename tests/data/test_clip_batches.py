"""Batches of patches: a pure function of seed and step, drawn where and as often as asked, moving."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d

from ebgan.data import Clip, ClipBatches, ClipSet, DataError, load_clips
from ebgan.errors import UserError


def marked(length: int, label: int, name: str, *, height: int = 16, width: int = 16, **options: Any) -> Clip:
    """A clip whose red tells the frame, whose green the label, and in which all blue moves."""
    frames = np.zeros((length, height, width, 3), np.uint8)
    frames[..., 0] = np.arange(length)[:, None, None]
    frames[..., 1] = label
    frames[..., 2] = 200 * (np.arange(length) % 2)[:, None, None]
    return Clip.of(frames, name, label=label, **options)


def clip_set(*clips: Clip) -> ClipSet:
    return ClipSet(clips, "own", "train", ("a", "b", "c"))


def numbers(patches: torch.Tensor, colour: int) -> list[int]:
    """What the colour tells of the first frame of each patch."""
    return [int(value) for value in torch.round((patches[:, 0, colour, 0, 0] + 1) * 127.5)]


SMALL: dict[str, Any] = {"frames": 4, "size": 8, "scales": 2}


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    digits = load_clips("moving-digits")
    there = ClipBatches(digits, 4, frames=5, seed=3)
    forward = [there.at(step) for step in range(6)]
    back = ClipBatches(digits, 4, frames=5, seed=3, threads=1)
    for step in (5, 0, 3):
        assert all(map(torch.equal, back.at(step), forward[step]))
    other = ClipBatches(digits, 4, frames=5, seed=4)
    assert not torch.equal(other.at(0)[-1], forward[0][-1])
    assert not torch.equal(forward[0][-1], forward[1][-1])


def test_a_batch_holds_four_scales_each_the_average_of_the_next_finer() -> None:
    batch = ClipBatches(load_clips("moving-digits"), 3, frames=5).at(7)
    assert [tuple(scale.shape) for scale in batch] == [(3, 5, 3, size, size) for size in (4, 8, 16, 32)]
    for coarse, fine in pairwise(batch):
        assert coarse.dtype == torch.float32 and coarse.is_contiguous()
        torch.testing.assert_close(coarse, avg_pool2d(fine.flatten(0, 1), 2).view_as(coarse))
    assert batch[-1].min() == -1 and batch[-1].max() <= 1


def test_every_patch_is_a_run_of_frames_cut_at_one_place_and_every_place_is_drawn() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (6, 10, 11, 3), np.uint8)
    places = {
        frames[t : t + 4, y : y + 8, x : x + 8].tobytes(): (t, y, x)
        for t in range(3)
        for y in range(3)
        for x in range(4)
    }
    patches = ClipBatches(clip_set(Clip.of(frames, "noise")), 1800, **SMALL).at(0)[-1]
    bytes_again = torch.round((patches + 1) * 127.5).to(torch.uint8).permute(0, 1, 3, 4, 2).contiguous()
    counts = Counter(places[patch.tobytes()] for patch in bytes_again.numpy())
    assert len(counts) == 36 and min(counts.values()) > 25


def test_classes_are_drawn_alike_and_the_clips_of_a_class_alike() -> None:
    clips = [marked(9, 0, "0"), *(marked(9 + 20 * number, 1, str(number)) for number in range(1, 5))]
    patches = ClipBatches(clip_set(*clips), 2000, **SMALL).at(0)[-1]
    counts = Counter(numbers(patches, 1))
    assert 900 < counts[0] < 1100 and counts[0] + counts[1] == 2000
    frames = [start for start, label in zip(numbers(patches, 0), numbers(patches, 1), strict=True) if label]
    assert 38 < sum(start > 65 for start in frames) < 78  # 20 of the 86 starts of one clip in four: 58


def test_without_regard_to_classes_clips_are_drawn_alike() -> None:
    clips = [marked(9, 0, "0"), *(marked(9, 2, str(number)) for number in range(1, 5))]
    patches = ClipBatches(clip_set(*clips), 2000, uniform_over="clips", **SMALL).at(0)[-1]
    assert 320 < Counter(numbers(patches, 1))[0] < 480


def test_starts_are_drawn_alike_and_never_before_a_break() -> None:
    clip = marked(12, 0, "0", breaks=(3, 8))
    counts = Counter(numbers(ClipBatches(clip_set(clip), 1000, **SMALL).at(0)[-1], 0))
    assert set(counts) == {3, 4, 8} and min(counts.values()) > 280


def half_moving(length: int = 8) -> Clip:
    """Still noise on the left; on the right noise that changes by 10 levels in every pixel and frame."""
    still = np.random.default_rng(0).integers(50, 200, (32, 64, 3), np.uint8)
    frames = np.repeat(still[None], length, axis=0)
    frames[1::2, :, 32:] += 10
    return Clip.of(frames, "half")


def moving_share(**options: Any) -> float:
    patches = ClipBatches(clip_set(half_moving()), 400, **SMALL | options).at(0)[-1]
    changed = (patches[:, -1] - patches[:, -2]).square().mean((1, 2, 3)).sqrt() * 127.5
    return float((changed > options.get("min_motion", 8.0)).float().mean())


def test_patches_move_as_far_as_asked_and_left_to_chance_half_of_them_do() -> None:
    assert moving_share() == 1.0
    assert 0.35 < moving_share(tries=1) < 0.65  # 57 lefts, those from 30 on hold enough of the moving half
    assert 0.2 < moving_share(min_motion=9.99, tries=1) < moving_share(min_motion=9.99, tries=3) < 1
    assert moving_share(min_motion=10.1) == 0.0


def test_nothing_that_moves_enough_is_no_reason_to_stop() -> None:
    still = Clip.of(np.full((9, 16, 16, 3), 7, np.uint8), "still")
    patches = ClipBatches(clip_set(still), 2, **SMALL).at(0)[-1]
    torch.testing.assert_close(patches, torch.full_like(patches, 7 / 127.5 - 1))


def test_clips_that_are_decoded_give_the_same_batches_as_those_in_memory() -> None:
    held = [half_moving(20), marked(12, 1, "b", breaks=(6,))]
    decoded = [replace(clip, in_memory=False) for clip in held]
    here, there = (ClipBatches(clip_set(*clips), 16, seed=5, **SMALL) for clips in (held, decoded))
    for step in range(3):
        assert all(map(torch.equal, here.at(step), there.at(step)))


def test_clips_too_short_or_too_small_are_left_out_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    clips = (
        marked(3, 0, "short"),
        marked(9, 0, "small", width=7),
        marked(9, 1, "broken", breaks=(2, 4, 6)),
        marked(9, 2, "good"),
        marked(2, 2, "shorter"),
    )
    patches = ClipBatches(clip_set(*clips), 50, **SMALL).at(0)[-1]
    assert set(numbers(patches, 1)) == {2}
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("ebgan.data.clip_batches", logging.WARNING)
    assert record.getMessage() == (
        "ebgan: left out 4 of 5 clips of 'own' (train): 'short' (no 4 frames in a row among its 3), "
        "'small' (7x16, patches take 8x8), "
        "'broken' (no 4 frames in a row among its 9 between its breaks) and 1 more"
    )


def test_a_set_with_nothing_to_take_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"'own' \(train\) holds no clip to take patches from: 'a' \(no 4 frames"
    ):
        ClipBatches(clip_set(marked(3, 0, "a")), 2, **SMALL)
    with pytest.raises(DataError, match=r"holds no clip to take patches from$"):
        ClipBatches(clip_set(), 2, **SMALL)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("batch_size", 0), ("frames", 0), ("size", 0), ("size", 9), ("size", 16_384), ("scales", 0)),
        *(("scales", 6), ("min_motion", -1.0), ("min_motion", float("nan")), ("tries", 0), ("seed", -1)),
        *(("threads", 0), ("uniform_over", "groups")),
    ],
)
def test_an_option_out_of_range_is_named(option: str, value: Any) -> None:
    options: dict[str, Any] = {"batch_size": 4} | SMALL | {option: value}
    with pytest.raises(UserError, match=rf"^{option}: got '?{value}'?, allowed"):
        ClipBatches(clip_set(marked(9, 0, "a")), **options)


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(UserError, match=r"^step: got -1"):
        ClipBatches(clip_set(marked(9, 0, "a")), 4, **SMALL).at(-1)


def grouped(*counts: int) -> ClipSet:
    """A set whose class c has ``counts[c]`` groups of two clips."""
    return clip_set(
        *(
            marked(5, label, f"{label}-{group}-{clip}", group=f"g{group}")
            for label, count in enumerate(counts)
            for group in range(count)
            for clip in range(2)
        )
    )


def test_held_out_clips_share_no_group_with_the_others_and_every_class_keeps_some() -> None:
    kept, held = grouped(10, 3, 1).hold_out(0.2)
    for part, groups in ((kept, (8, 2, 1)), (held, (2, 1, 0))):
        found = [{clip.group for clip in part.clips if clip.label == label} for label in range(3)]
        assert tuple(map(len, found)) == groups and len(part) == 2 * sum(groups)
        assert (part.name, part.split, part.classes) == ("own", "train", ("a", "b", "c"))
    assert not {(c.label, c.group) for c in kept.clips} & {(c.label, c.group) for c in held.clips}
    for share in (0.01, 0.99):
        kept, held = grouped(2, 2, 2).hold_out(share)
        assert len(kept) == len(held) == 6


def test_what_is_held_out_depends_on_the_seed_alone() -> None:
    def held(seed: int) -> list[str]:
        return [clip.name for clip in grouped(20, 3, 1).hold_out(0.3, seed=seed)[1].clips]

    assert held(1) == held(1) != held(2)
    for share in (0.0, 1.0, float("nan")):
        with pytest.raises(UserError, match=r"^share: got"):
            grouped(2).hold_out(share)


@pytest.mark.parametrize(
    "frames",
    [np.zeros((4, 8, 8, 3)), np.zeros((4, 8, 8), np.uint8), np.zeros((4, 8, 16, 3), np.uint8)[:, :, ::2]],
)
def test_own_frames_of_the_wrong_form_are_refused(frames: Any) -> None:
    with pytest.raises(DataError, match=r"^mine: frames are .*, expected uint8 \(T, H, W, 3\) in C order"):
        Clip.of(frames, "mine")


def test_a_label_without_a_class_is_refused() -> None:
    with pytest.raises(DataError, match="own: 3 has label 3, but there are 3 classes, numbered from 0"):
        clip_set(marked(4, 3, "3"))


def test_a_batch_that_no_memory_holds_is_refused_in_words():
    clips = load_clips("moving-digits", "test")
    with pytest.raises(UserError, match=r"batch_size: got 100000000, which makes batches of .* GiB; allowed"):
        ClipBatches(clips, 100_000_000, frames=16)


def test_batches_say_what_they_are_taken_from():
    assert str(ClipBatches(load_clips("moving-digits", "test"), 2, frames=16)) == (
        "moving-digits (test): 200 clips"
    )

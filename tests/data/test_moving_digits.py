"""Moving digits: where they go, that a seed repeats them to the bit, and the exact mean of their futures."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ebgan.data import MovingDigits, load_clips
from ebgan.data.bouncing import Bounce, Bouncing, State
from ebgan.errors import UserError

BOUNCES: tuple[Bounce, ...] = ("mirror", "random")


def test_clips_are_digits_of_their_split_white_on_black_in_three_equal_colours() -> None:
    train, test = load_clips("moving-digits"), load_clips("moving-digits", "test")
    assert (len(train), len(test)) == (10_000, 200) and train.classes == tuple("0123456789")
    assert min(np.bincount([clip.label for clip in train.clips])) > 800
    frames = test.clips[3].frames()
    assert frames.shape == (64, 64, 64, 3) and frames.dtype == np.uint8 and frames.flags.c_contiguous
    assert (frames == frames[..., :1]).all() and frames.max() == 255 and frames.min() == 0


def test_each_frame_holds_one_whole_digit_of_its_class_at_its_place() -> None:
    digits = MovingDigits("test", size=40)
    of_class = digits.digits.images[:, 0].repeat(2, axis=1).repeat(2, axis=2)
    for number, clip in enumerate(digits.clip_set().clips[:20]):
        for frame, picture in zip((0, 7, 63), clip.frames()[[0, 7, 63], :, :, 0], strict=True):
            top, left, _, _ = digits.state(number, frame)
            shown = picture[top : top + 16, left : left + 16]
            matching = (of_class == shown).all(axis=(1, 2))
            assert clip.label in digits.digits.labels[matching] and picture.sum() == shown.sum(dtype=int)


def test_a_clip_is_the_same_to_the_bit_on_every_machine_and_from_any_frame_on() -> None:
    digits = MovingDigits("train", size=48, bounce="random", seed=3)
    clip = digits.clip_set().clips[17]
    again = MovingDigits("train", size=48, bounce="random", seed=3).clip_set().clips[17]
    np.testing.assert_array_equal(again.frames(20, 9), clip.frames()[20:29])
    digest = hashlib.sha256(clip.frames().tobytes()).hexdigest()
    assert digest == "bd8bff85d71065f117120d73578bffba85c77fa97a70495346dcecb82b99decf"


def test_seeds_splits_and_numbers_give_different_clips() -> None:
    clips = [
        MovingDigits(split, seed=seed).clip_set().clips[number].frames(0, 8).tobytes()
        for split, seed, number in (("train", 0, 0), ("train", 0, 1), ("train", 1, 0), ("test", 0, 0))
    ]
    assert len(set(clips)) == 4


@given(st.sampled_from(BOUNCES), st.integers(1, 30), st.integers(1, 5), st.integers(0, 2**32))
def test_a_square_stays_within_the_walls_keeps_its_speed_and_always_moves(
    bounce: Bounce, limit: int, speed: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    motion = Bouncing(limit, bounce)
    states = motion.path(motion.begin(random, (speed,)), 60, random)
    for before, after in pairwise(states):
        assert 0 <= after.top <= limit and 0 <= after.left <= limit
        assert max(abs(after.down), abs(after.right)) == speed
        assert before[:2] != after[:2]


def test_between_walls_both_kinds_go_straight_on() -> None:
    for bounce in BOUNCES:
        assert Bouncing(20, bounce).following(State(9, 5, 3, -2)) == [State(12, 3, 3, -2)]
        assert Bouncing(20, bounce).following(State(19, 1, 3, -2)) == [State(20, 0, 3, -2)]
        assert Bouncing(20, bounce).following(State(0, 0, 3, 2)) == [State(3, 2, 3, 2)]


def test_a_mirror_reverses_the_axis_of_the_wall() -> None:
    motion = Bouncing(20, "mirror")
    assert motion.following(State(20, 5, 3, -2)) == [State(17, 3, -3, -2)]
    assert motion.following(State(20, 0, 3, -2)) == [State(17, 2, -3, 2)]
    assert motion.following(State(20, 5, 0, -3)) == [State(20, 2, 0, -3)]


@pytest.mark.parametrize(("left", "count"), [(5, 11), (0, 5)])
def test_a_random_bounce_draws_every_direction_away_from_the_walls_alike(left: int, count: int) -> None:
    motion = Bouncing(20, "random")
    state = State(20, left, 3, -2)
    choice = motion.following(state)
    assert len(choice) == len(set(choice)) == count
    assert all(after.down < 0 and max(-after.down, abs(after.right)) == 3 for after in choice)
    assert left > 0 or all(after.right > 0 for after in choice)
    random = np.random.default_rng(0)
    drawn = Counter(motion.path(state, 2, random)[1] for _ in range(100 * count))
    assert len(drawn) == count and min(drawn.values()) > 50


def test_what_a_bounce_draws_shows_in_no_frame_before() -> None:
    motion = Bouncing(16, "random")
    arrived = motion.following(State(14, 8, 3, 1))
    assert arrived == [State(16, 9, 3, 1)] and len(motion.following(arrived[0])) == 11


@pytest.mark.parametrize("bounce", BOUNCES)
def test_futures_are_probabilities_and_agree_with_what_is_drawn(bounce: Bounce) -> None:
    motion = Bouncing(10, bounce)
    state = State(9, 1, 4, -3)
    futures = motion.futures(state, 6)
    assert all(abs(sum(places.values()) - 1) < 1e-12 for places in futures)
    random = np.random.default_rng(0)
    count = 4000
    paths = [motion.path(state, 7, random) for _ in range(count)]
    for frame, places in enumerate(futures, 1):
        drawn = Counter(path[frame][:2] for path in paths)
        assert set(drawn) <= set(places)
        for place, probability in places.items():
            deviation = (probability * (1 - probability) / count) ** 0.5
            assert abs(drawn[place] / count - probability) <= 5 * deviation + 1e-12


def test_with_mirrors_the_mean_of_futures_is_the_future() -> None:
    digits = MovingDigits("test", size=32)
    clip = digits.clip_set().clips[5]
    mean = digits.mean_of_futures(5, frame=9, count=8)
    truth = torch.from_numpy(clip.frames(10, 8)).permute(0, 3, 1, 2) / 127.5 - 1
    torch.testing.assert_close(mean, truth)
    assert mean.dtype == torch.float32


def test_with_random_bounces_no_drawn_future_is_nearer_to_all_others_than_their_mean() -> None:
    digits = MovingDigits("test", size=32, bounce="random")
    frame = next(f for f in range(40) if len(digits.motion.following(digits.state(2, f))) > 1)
    mean = digits.mean_of_futures(2, frame, count=4)
    state = digits.state(2, frame)
    ink = digits.clip_set().clips[2].frames(0, 1)[0, :, :, 0]
    top, left, _, _ = digits.state(2, 0)
    ink = ink[top : top + 16, left : left + 16] / 127.5
    random = np.random.default_rng(0)
    futures = -np.ones((2000, 4, 32, 32))
    for future in futures:
        for picture, (y, x, _, _) in zip(future, digits.motion.path(state, 5, random)[1:], strict=True):
            picture[y : y + 16, x : x + 16] += ink
    average = futures.mean(axis=0)
    assert np.abs(average - mean[:, 0].numpy()).max() < 0.1
    assert ((futures - mean[:, 0].numpy()) ** 2).mean() <= ((futures - average) ** 2).mean() * 1.002
    assert ((futures - futures[0]) ** 2).mean() > 1.5 * ((futures - mean[:, 0].numpy()) ** 2).mean()
    assert (mean[:, 0] == mean[:, 2]).all() and mean.min() >= -1 and mean.max() <= 1


@pytest.mark.parametrize(("option", "value"), [("size", 16), ("size", 0), ("seed", -1)])
def test_an_option_out_of_range_is_named(option: str, value: int) -> None:
    with pytest.raises(UserError, match=rf"^{option}: got {value}, "):
        MovingDigits("train", **{option: value})  # type: ignore[arg-type]
    if option == "size":
        with pytest.raises(UserError, match=rf"^{option}: got {value}, "):
            load_clips("moving-digits", size=value)


def test_an_unknown_way_to_bounce_is_refused() -> None:
    with pytest.raises(UserError, match=r"^bounce: got 'back', allowed are mirror, random"):
        load_clips("moving-digits", bounce="back")  # type: ignore[arg-type]

"""Flow, what it says moves, and the predictions that need no training."""

from __future__ import annotations

import colorsys
import math

import pytest
import torch
from torch import Tensor

from ebgan.video import copy_last, extrapolate_flow, forward_warp, moving, optical_flow
from support.errors import assert_refused


def texture(height: int = 48, width: int = 64) -> Tensor:
    """Coloured waves: smooth, so that flow finds its way, and nowhere flat."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    waves = [torch.sin(x / 3 + y / 5), torch.sin(y / 4 - x / 7), torch.cos(x / 2) * torch.cos(y / 3)]
    return 0.9 * torch.stack(waves)


def film(count: int, right: int) -> Tensor:
    """The texture, moving to the right by whole pixels a frame."""
    wide = texture(width=64 + 32)
    return torch.stack([wide[..., 32 - right * time : 96 - right * time] for time in range(count)])


def test_flow_is_where_pixels_go_x_first():
    still, moved = film(2, right=2)
    x, y = optical_flow(still, moved)[:, 8:-8, 8:-8]
    assert x.mean().item() == pytest.approx(2, abs=0.1) and y.abs().mean() < 0.1


def test_nothing_moves_between_equal_frames():
    assert not moving(optical_flow(texture(), texture())).any()


def test_what_moves_is_where_the_flow_is():
    frame, after = -torch.ones(3, 64, 64), -torch.ones(3, 64, 64)
    square = texture(20, 20)
    frame[:, 22:42, 22:42], after[:, 22:42, 25:45] = square, square
    mask = moving(optical_flow(frame, after))
    assert mask[26:38, 26:38].all() and not mask[:8].any() and not mask[:, :8].any()


def colour(dx: float, dy: float, full_speed: float) -> tuple[float, ...]:
    """A flow picture's pixel: white at rest, of full colour from `full_speed` on; here the hues of HSV."""
    speed = min(math.hypot(dx, dy) / full_speed, 1.0)
    return colorsys.hsv_to_rgb(math.atan2(dy, dx) / math.tau % 1, speed, 1.0)


@pytest.mark.parametrize("full_speed", [1.0, 3.0])
def test_a_pixel_moves_where_a_channel_of_the_flow_picture_is_below_a_fifth(full_speed):
    flow = torch.randn(2, 40, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mask = moving(flow, full_speed=full_speed)
    assert 0.01 < mask.float().mean() < 0.9
    for (dx, dy), moves in zip(flow.flatten(1).T.tolist(), mask.flatten().tolist(), strict=True):
        assert moves == (min(colour(dx, dy, full_speed)) < 0.2)


def test_warping_by_whole_pixels_moves_them_and_leaves_the_rest():
    frame = torch.zeros(1, 4, 5)
    frame[0, 1, 1] = 1.0
    flow = torch.zeros(2, 4, 5)
    flow[:, 1, 1] = torch.tensor([2.0, 1.0])
    expected = frame.clone()
    expected[0, 2, 3] = 0.5  # the mean of what fell there, itself still black, and the white one
    torch.testing.assert_close(forward_warp(frame, flow), expected)


def test_warping_by_half_a_pixel_averages_neighbours():
    frame = torch.tensor([[[0.0, 0.0, 1.0, 0.0, 0.0]]])
    flow = torch.zeros(2, 1, 5)
    flow[0] = 0.5
    torch.testing.assert_close(forward_warp(frame, flow), torch.tensor([[[0.0, 0.0, 0.5, 0.5, 0.0]]]))


def test_pixels_that_leave_the_frame_are_dropped():
    frame = texture(6, 7)
    torch.testing.assert_close(forward_warp(frame, torch.full((2, 6, 7), 100.0)), frame)


def test_the_last_frame_is_copied():
    frames = film(3, right=1)
    torch.testing.assert_close(copy_last(frames, 2), frames[[2, 2]])


def test_extrapolation_goes_on_at_constant_speed():
    frames = film(7, right=2)
    predictions = extrapolate_flow(frames[:4], 3)
    inner = (..., slice(8, -8), slice(16, -16))
    errors = (predictions - frames[4:]).abs()[inner].mean((1, 2, 3))
    still = (frames[3] - frames[4:]).abs()[inner].mean((1, 2, 3))
    assert (errors < still / 5).all(), (errors, still)


@pytest.mark.parametrize(
    ("call", "fragments"),
    [
        (lambda: moving(torch.zeros(2, 4, 4), full_speed=0), ("full_speed: got 0",)),
        (lambda: copy_last(film(2, 1), 0), ("count: got 0",)),
        (lambda: extrapolate_flow(film(2, 1), 0), ("count: got 0",)),
        (lambda: extrapolate_flow(film(1, 1), 1), ("frames: got 1", "2 and more")),
    ],
)
def test_wrong_arguments_are_refused(call, fragments):
    assert_refused(call, ValueError, fragments)

"""The benchmark of video training steps: what its variants compute is the same."""

from __future__ import annotations

import pytest
import torch

import ebgan_kernels as ek
from benchmarks.bench_video import random_clips, system


@pytest.mark.parametrize(("net", "frames"), [("8to8", 16), ("4to1", 5)])
def test_clips_have_the_configurations_frames_at_four_scales(net: str, frames: int) -> None:
    clips = random_clips(net, 2, torch.device("cpu"))
    assert [tuple(scale.shape) for scale in clips] == [(2, frames, 3, side, side) for side in (4, 8, 16, 32)]


def test_a_step_with_plain_losses_does_what_a_step_with_ours_does() -> None:
    clips = random_clips("8to8", 2, torch.device("cpu"))
    with ek.backend("reference"):
        plain = system("8to8", 0.1, clips)
        expected = plain.step(1)
    ours = system("8to8", 0.1, clips)
    torch.testing.assert_close(ours.step(1), expected)
    state = plain.generator.state_dict()
    torch.testing.assert_close(dict(ours.generator.state_dict()), dict(state))

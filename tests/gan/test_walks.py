from __future__ import annotations

import math
from itertools import pairwise

import av
import numpy as np
import pytest
import torch
from PIL import Image

from ebgan.cli import main
from ebgan.errors import UserError
from ebgan.gan import Generator, generator, sample, walk
from support.errors import assert_refused


class Shown(Generator):
    """A generator whose image is its noise."""

    noise_shapes = ((4,), (2, 2))

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))

    def forward(self, vector, plane):
        return torch.stack([vector.view(-1, 2, 2), plane], 1) * self.weight


def test_an_arc_runs_from_one_draw_to_an_independent_one_through_noise_of_the_same_length():
    noise = walk(Shown(), 4000, steps=5, seed=0)
    start, end = noise[0], noise[-1]
    assert torch.corrcoef(torch.stack([start.flatten(), end.flatten()]))[0, 1].abs() < 0.02
    torch.testing.assert_close(noise[2], (start + end) / math.sqrt(2))
    for images in noise:
        assert images.std().item() == pytest.approx(1, abs=0.02)


def test_a_closed_walk_goes_evenly_around_and_comes_back():
    noise = walk(Shown(), 3, steps=8, seed=1, closed=True)
    torch.testing.assert_close(noise[4], -noise[0])
    strides = (noise - noise.roll(-1, 0)).flatten(1).norm(dim=1)
    assert strides.max() < 2 * strides.min()  # from the last to the first, too


def test_it_starts_where_samples_of_the_seed_are_and_leaves_the_mode_as_it_was():
    net = generator("digits").train()
    images = walk(net, 6, steps=3, seed=7)
    torch.testing.assert_close(images[0], sample(net, 6, seed=7))
    assert net.training and not images.requires_grad


@pytest.mark.parametrize(("walks", "steps", "fragment"), [(0, 3, "walks: got 0"), (1, 1, "steps: got 1")])
def test_a_walk_needs_a_start_and_an_end(walks, steps, fragment):
    assert_refused(lambda: walk(Shown(), walks, steps=steps, seed=0), UserError, [fragment])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    assert main(["train", "gan", "--steps", "150", "--batch-size", "32", "--out", str(out)]) == 0
    return out


def test_walks_are_rows_of_a_png(run, tmp_path, capsys):
    picture = tmp_path / "walks.png"
    assert main(["sample", str(run), "--interpolate", "3", "--out", str(picture)]) == 0
    pixels = np.asarray(Image.open(picture))
    assert pixels.shape == (3 * 72 + 8, 10 * 72 + 8, 3)
    cells = [pixels[8:72, 8 + 72 * column : 72 + 72 * column].astype(int) for column in range(10)]
    steps = [np.abs(a - b).mean() for a, b in pairwise(cells)]
    assert np.abs(cells[0] - cells[-1]).mean() > max(steps) > 0
    assert f"3 walks of 10 images: {picture}" in capsys.readouterr().out


def test_walks_side_by_side_are_an_mp4_that_ends_where_it_began(run, tmp_path):
    film = tmp_path / "walks.mp4"
    assert main(["sample", str(run), "--interpolate", "3", "--out", str(film)]) == 0
    with av.open(str(film)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
        assert container.streams.video[0].average_rate == 25
    assert len(frames) == 100 and frames[0].shape == (2 * 72 + 8, 2 * 72 + 8, 3)
    first, middle, last = frames[0], frames[50], frames[-1]
    assert np.abs(first - last).mean() < np.abs(first - middle).mean() / 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--interpolate 0", "walks: got 0"),
        ("--interpolate 2 --out walks.gif", "--out: got '.gif', allowed are .png, .mp4"),
        ("--out samples.mp4", "--out: got '.mp4', allowed are .png"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(run, capfd, options, message):
    assert main(["sample", str(run), *options.split()]) == 2
    error = capfd.readouterr().err
    assert error.count("\n") == 1 and message in error

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from ebgan.pictures import Curve, Plot, Span, draw, image_grid, save_png
from ebgan.pictures.grid import BACKGROUND, MARK


def test_images_of_full_size_stand_in_the_grid_pixel_for_pixel():
    images = torch.rand(5, 3, 64, 64) * 2 - 1
    grid = image_grid(images, columns=3)
    assert grid.shape == (2 * 72 + 8, 3 * 72 + 8, 3)
    fourth = grid[8 + 72 : 72 + 72, 8:72].astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(fourth, images[3].permute(1, 2, 0), atol=0.5 / 127.5 + 1e-6)


def test_grey_images_become_colour_and_small_ones_are_enlarged():
    grid = image_grid(torch.full((1, 1, 8, 8), 2.0), columns=1)
    assert grid.shape == (80, 80, 3)
    assert (grid[8:72, 8:72] == 255).all()


def test_names_stand_beside_rows_and_above_spans_and_leave_the_images_as_they_are():
    images = torch.rand(6, 3, 64, 64) * 2 - 1
    plain = image_grid(images, columns=3)
    named = image_grid(images, columns=3, row_names=("first", "second"), spans=(Span("a", 1), Span("b", 2)))
    top, left = named.shape[0] - plain.shape[0], named.shape[1] - plain.shape[1]
    assert (named[top:, left + 80 :] == plain[:, 80:]).all()
    assert (named[top + 8 :, left + 8 : left + 72] == plain[8:, 8:72]).all()
    written = (named != BACKGROUND).any(2)
    first, second = written[top + 8 : top + 72, :left], written[top + 80 :, :left]
    assert first.any() and second.any() and not written[top + 72 : top + 80, :left].any()
    assert written[:top, left + 8 : left + 72].any() and written[:top, left + 80 :].any()
    mark = (named == MARK).all(2).all(0).nonzero()[0] - left
    assert 72 <= mark.min() <= mark.max() < 80


def test_rows_share_names_in_turn():
    images = torch.zeros(4, 1, 64, 64)
    named = image_grid(images, columns=1, row_names=("a", "b"))
    left = named.shape[1] - 80
    first, second, third, fourth = (named[8 + 72 * row :][:64, :left] for row in range(4))
    assert (first == third).all() and (second == fourth).all() and (first != second).any()


@pytest.mark.parametrize("axis", ["from 0", "shares", "log"])
def test_an_axis_shows_its_values(axis, tmp_path, monkeypatch):
    """Shares of an axis from 0 to 1 can be compared between runs; a log axis shows the small ones, too."""
    figures = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure,
        "savefig",
        lambda figure, *rest, **options: (figures.append(figure), save(figure, *rest, **options)),
    )
    values = (0.5, 0.25, 0.75) if axis == "shares" else (0.5, 400, 3)
    rows = [{"step": step, "value": value} for step, value in enumerate(values, 1)]
    draw(Plot("one", "One", "unit", (Curve("value", "a value"),), axis), rows, tmp_path / "one.png")
    (axes,) = figures[0].axes
    low, high = axes.get_ylim()
    assert axes.get_yscale() == ("log" if axis == "log" else "linear")
    assert low <= min(values) and max(values) <= high
    if axis == "log":
        assert low > 0.1
    else:
        assert low == 0 and (axis != "shares" or high == 1)


def test_a_picture_reads_back_as_it_was_written(tmp_path):
    picture = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    save_png(picture, tmp_path / "new" / "picture.png")
    assert (np.asarray(Image.open(tmp_path / "new" / "picture.png")) == picture).all()


def test_every_curve_is_drawn_in_a_colour_of_its_own(tmp_path):
    rows = [{"step": step, "up": step, "down": 9 - step} for step in range(1, 9)]
    plot = Plot("both", "Both", "unit", (Curve("up", "rising"), Curve("down", "falling")))
    draw(plot, rows, tmp_path / "both.png")
    pixels = np.asarray(Image.open(tmp_path / "both.png").convert("RGB")).reshape(-1, 3)
    for colour in ((0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (pixels == colour).all(1).sum() > 100

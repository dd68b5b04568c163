from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ebgan.pictures import Curve, Plot, draw, image_grid, save_png


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

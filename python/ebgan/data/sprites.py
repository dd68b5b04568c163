"""``sprites``: 1,296 characters, each six bodies, bottom wears, top wears or heads of hair, in three actions.

They are composed from sheets of the Liberated Pixel Cup (CC BY-SA 3.0 and GPL 3.0), which lie in
``sprites/{body,bottomwear,topwear,hair}/{0..5}.png`` below the data root. A sheet is 832x1344 pixels: 21 rows
of 13 cells of 64x64, four rows (seen from behind, from the left, from the front, from the right) an action.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.errors import DataError, reason
from ebgan.data.image_set import Factor, ImageSet
from ebgan.data.registry import Root, Source, Split, data_root
from ebgan.data.scaled import scaled
from ebgan.errors import require

PARTS = ("body", "bottomwear", "topwear", "hair")  # from the lowest layer to the uppermost
SHEETS = 6  # of each part
# The first row of an action, and the columns of the frames that are taken: neighbours differ little.
ACTIONS = {"spellcast": (0, (0, 2, 3, 5)), "walk": (8, (1, 3, 5, 7)), "slash": (12, (0, 2, 3, 5))}
VIEWS = ("back", "left", "front", "right")
FRAMES = ("1", "2", "3", "4")
HELD_OUT = 296  # characters, as in the best-known use of these sheets

_CELL, _SHEET = 64, (832, 1344)
_TOP, _LEFT, _SIDE = 8, 4, 56  # of the part of a cell that holds all that these actions draw
_POSES = tuple(product(ACTIONS, range(len(VIEWS)), range(len(FRAMES))))

Layers = NDArray[np.uint8]  # (sheets, height, width, 4), RGBA


def load_sprites(split: Split, root: Root, size: int | None) -> ImageSet:
    """Compose the characters of one split on white, 48 images of each: uint8 ``(N, 3, 56, 56)``.

    The class is the character; further factors are the sheet of each part, the action, the view and the
    frame. 296 characters, always the same, are the test split; each of their parts is in the train split,
    too. With a ``size`` below 56 the images are scaled down; from 56 up their pixels are repeated as often as
    there is room, and white is put around: 64 has them as drawn, with 4 pixels of white on each side.

    Raises:
        DataError: there is no data root, or a sheet is missing, unreadable or of another size.
    """
    folder = data_root("sprites", root) / "sprites"
    parts = [_read_part(folder / part) for part in PARTS]
    held_out = np.zeros(SHEETS ** len(PARTS), bool)
    held_out[np.random.default_rng(0).permutation(len(held_out))[:HELD_OUT]] = True
    characters = np.flatnonzero(held_out if split == "test" else ~held_out)

    side = size or _SIDE
    images = np.empty((len(characters), len(_POSES), 3, side, side), np.uint8)
    for pose, (action, view, frame) in enumerate(_POSES):
        row, columns = ACTIONS[action]
        cells = [_cell(sheets, row + view, columns[frame]) for sheets in parts]
        drawn = _composed(cells)[characters]
        images[:, pose] = np.stack([_brought_to(each, size) for each in drawn]).transpose(0, 3, 1, 2)

    count = len(characters)
    sheets = np.unravel_index(np.repeat(characters, len(_POSES)), (SHEETS,) * len(PARTS))
    numbers = tuple(map(str, range(SHEETS)))
    actions = [list(ACTIONS).index(action) for action, _, _ in _POSES]
    further = {
        part: Factor(labels.astype(np.int64), numbers) for part, labels in zip(PARTS, sheets, strict=True)
    } | {
        "action": Factor(np.tile(np.array(actions, np.int64), count), tuple(ACTIONS)),
        "view": Factor(np.tile(np.array([view for _, view, _ in _POSES]), count), VIEWS),
        "frame": Factor(np.tile(np.array([frame for _, _, frame in _POSES]), count), FRAMES),
    }
    names = ("-".join(each) for each in product(numbers, repeat=len(PARTS)))
    labels = np.repeat(characters, len(_POSES))
    return ImageSet(images.reshape(-1, 3, side, side), labels, "sprites", split, tuple(names), further)


def _read_part(folder: Path) -> Layers:
    return np.stack([_read_sheet(folder / f"{number}.png") for number in range(SHEETS)])


def _read_sheet(path: Path) -> Layers:
    Image = require("PIL.Image")
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.size != _SHEET:
                found = "x".join(map(str, image.size))
                raise DataError(f"{path} is {found} pixels, expected a sheet of {_SHEET[0]}x{_SHEET[1]}")
            return np.asarray(image.convert("RGBA"))
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing: put six sheets of each part, 0.png to 5.png, into the folders "
            f"{', '.join(PARTS)} of {path.parents[1]}"
        ) from None
    except DataError:
        raise
    except (OSError, SyntaxError, ValueError) as error:  # all of these are Pillow's words for a damaged PNG
        raise DataError(f"{path} cannot be read ({_why(error)}); put a whole PNG there") from error


def _why(error: Exception) -> str:
    known = isinstance(error, require("PIL").UnidentifiedImageError)  # its words repeat the path
    return "not a PNG image" if known else reason(error)


def _cell(sheets: Layers, row: int, column: int) -> Layers:
    top, left = row * _CELL + _TOP, column * _CELL + _LEFT
    return sheets[:, top : top + _SIDE, left : left + _SIDE]


def _composed(cells: list[Layers]) -> NDArray[np.uint8]:
    """One cell of every character, uint8 ``(characters, 56, 56, 3)``: each layer over those below it."""
    under = np.full((1, _SIDE, _SIDE, 3), 255, np.uint16)
    for layer in cells:
        colour, opacity = layer[..., :3].astype(np.uint16), layer[..., 3:].astype(np.uint16)
        over = colour * opacity + under[:, None] * (255 - opacity) + 127
        under = (over // 255).reshape(-1, _SIDE, _SIDE, 3)
    return under.astype(np.uint8)


def _brought_to(image: NDArray[np.uint8], size: int | None) -> NDArray[np.uint8]:
    """The image (56, 56, 3) as (size, size, 3); stretched by a fraction, drawn pixels would blur."""
    if size is None or size < _SIDE:
        return scaled(image, size)
    times = size // _SIDE
    before = (size - times * _SIDE) // 2
    around = (before, size - times * _SIDE - before)
    enlarged = image.repeat(times, axis=0).repeat(times, axis=1)
    return np.pad(enlarged, (around, around, (0, 0)), constant_values=255)


SOURCE = Source("sprites", load_sprites, "62,208 drawings of 1,296 characters, colour, 56x56 pixels", "root")

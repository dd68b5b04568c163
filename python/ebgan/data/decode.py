"""Decoding of a JPEG, PNG or WebP file of any size and mode to RGB bytes of the size asked for."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import IO, TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebgan.data.lanczos import scaled_square
from ebgan.data.png import SIGNATURE, without_metadata
from ebgan.errors import require

# What Pillow raises on EXIF that other programs wrote wrongly, found by changing bytes of it.
_EXIF_FAULTS = (ValueError, TypeError, KeyError, IndexError, SyntaxError, OverflowError, struct.error)

# The least factor that is left to Lanczos' filter where a much larger picture is first reduced.
_KEPT = 2

if TYPE_CHECKING:
    from PIL.Image import Image


def decode(file: IO[bytes], size: int | None) -> NDArray[np.uint8]:
    """The image in ``file`` as uint8 ``(3, H, W)``; with ``size`` as ``(3, size, size)``.

    It is turned upright as its EXIF orientation says and made RGB: grey is repeated, palettes and CMYK are
    converted, the upper byte is taken of 16 bits, and what is transparent lies on white. Faults in metadata
    are looked past; a picture whose EXIF cannot be read is taken to be upright. With ``size`` the
    short side is scaled to ``size`` (Lanczos, down or up) and the centre of the long side is kept; an image
    that has this size already keeps its bytes.

    Of an animation the first picture is taken. It raises ValueError where the file is of another format, or
    WebP under a Pillow that is built without, else whatever Pillow raises on it.
    """
    Image, ImageOps = require("PIL.Image"), require("PIL.ImageOps")
    try:
        opened = Image.open(_picture_alone(file), formats=("JPEG", "PNG", "WEBP"))
    except require("PIL").UnidentifiedImageError:  # whose words name an address in memory
        if _is_webp(file) and not require("PIL.features").check("webp"):
            raise ValueError("WebP, which this Pillow is built without: pip install pillow") from None
        raise ValueError("not a JPEG, PNG or WebP image") from None
    with opened as image:
        if size is not None:
            # libjpeg decodes at 1/2, 1/4 or 1/8 for less.
            image.draft("RGB", (_KEPT * size, _KEPT * size))
        with suppress(*_EXIF_FAULTS):
            ImageOps.exif_transpose(image, in_place=True)
        rgb = _to_rgb(image)
    if size is None:
        return np.asarray(rgb).transpose(2, 0, 1)
    side = float(min(rgb.size))
    left, top = (rgb.width - side) / 2, (rgb.height - side) / 2
    if factor := int(side / size / _KEPT):
        rgb = rgb.reduce(factor)
        left, top, side = left / factor, top / factor, side / factor
    return scaled_square(np.asarray(rgb), left, top, side, size)


@contextmanager
def strict_pillow() -> Iterator[None]:
    """Within the block an image beyond ``PIL.Image.MAX_IMAGE_PIXELS`` is an error, and no metadata warns."""
    bomb = require("PIL.Image").DecompressionBombWarning
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
        warnings.simplefilter("error", bomb)
        yield


def quiet_pillow() -> None:
    """From now on and for every thread, what `strict_pillow` asks within a block, which no thread can enter.

    Filters of warnings belong to the whole program. Those that it has set itself go before these.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module="PIL", append=True)
    warnings.simplefilter("error", require("PIL.Image").DecompressionBombWarning, append=True)


def _picture_alone(file: IO[bytes]) -> IO[bytes]:
    if file.read(len(SIGNATURE)) == SIGNATURE:
        return BytesIO(without_metadata(SIGNATURE + file.read()))
    file.seek(0)
    return file


def _is_webp(file: IO[bytes]) -> bool:
    file.seek(0)
    head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WEBP"


def _to_rgb(image: Image) -> Image:
    Image = require("PIL.Image")
    if image.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        levels = np.asarray(image)
        upper = (levels >> 8).astype(np.uint8)
        if (transparent := image.info.get("transparency")) is not None:
            upper[levels == transparent] = 255
        image = Image.fromarray(upper)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert("RGB")

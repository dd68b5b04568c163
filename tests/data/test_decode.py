"""Decoding: every mode becomes RGB, upright, scaled by its short side and cropped to its centre."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, WebPImagePlugin, features

from ebgan.data.decode import decode, quiet_pillow, strict_pillow
from support.image_files import encoded, plain

RED, GREEN = (255, 0, 0), (0, 128, 0)


def decoded(content: bytes, size: int | None = None) -> NDArray[np.uint8]:
    return decode(BytesIO(content), size).transpose(1, 2, 0)


def test_every_mode_becomes_rgb() -> None:
    half = Image.new("RGBA", (2, 2), (0, 0, 0, 128))
    palette = Image.new("RGB", (2, 2), GREEN).convert("P", palette=Image.Palette.ADAPTIVE)
    deep = Image.fromarray(np.full((2, 2), 100 * 256 + 255, np.uint16))
    expected = {
        plain(100, mode="L"): (100, 100, 100),
        plain(1, mode="1"): (255, 255, 255),
        encoded(palette): GREEN,
        encoded(palette, transparency=0): (255, 255, 255),
        encoded(Image.new("RGB", (2, 2), RED), transparency=RED): (255, 255, 255),
        encoded(half): (127, 127, 127),
        plain((0, 0), mode="LA"): (255, 255, 255),
        encoded(deep): (100, 100, 100),
        encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 155)), "JPEG"): (100, 100, 100),
        encoded(Image.new("L", (8, 8), 100), "JPEG"): (100, 100, 100),
        encoded(Image.new("RGB", (8, 8), GREEN), "WEBP", lossless=True): GREEN,
        encoded(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "WEBP", lossless=True): (127, 127, 127),
    }
    assert len(expected) == 12
    for content, colour in expected.items():
        pixels = decoded(content)
        assert pixels.dtype == np.uint8 and (pixels == np.array(colour, np.uint8)).all(), colour


# An upright picture as it is stored under each EXIF orientation; the comments are the standard's words for
# where the stored row 0 and column 0 are to be seen.
STORED: dict[int, Any] = {
    1: lambda upright: upright,  # top, left
    2: lambda upright: upright[:, ::-1],  # top, right
    3: lambda upright: upright[::-1, ::-1],  # bottom, right
    4: lambda upright: upright[::-1],  # bottom, left
    5: lambda upright: upright.swapaxes(0, 1),  # left, top
    6: lambda upright: upright.swapaxes(0, 1)[::-1],  # right, top
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],  # right, bottom
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],  # left, bottom
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_an_image_stands_as_its_exif_orientation_says(orientation: int, format: str) -> None:
    upright = np.zeros((64, 128, 3), np.uint8)
    upright[:32, :64] = 255  # no two orientations of this look alike, and each 8x8 block of a JPEG is even
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](upright)))
    options = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(format, {})
    content = encoded(stored, format, exif=exif, **options)
    np.testing.assert_array_equal(decoded(content), upright)
    centre = decoded(content, size=16)
    assert (centre[1:5, 1:5] == 255).all() and (centre[1:5, 11:15] == 0).all() and (centre[11:15] == 0).all()


def gradient(width: int, height: int) -> Image.Image:
    """Red grows from left to right, green from top to bottom."""
    red = np.linspace(0, 255, width)[None].repeat(height, 0)
    green = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([red, green, np.full_like(red, 90)], -1).round().astype(np.uint8))


@pytest.mark.parametrize("size", [8, 20, 64])
@pytest.mark.parametrize(("width", "height"), [(300, 120), (120, 301), (40, 40), (9, 33)])
def test_the_short_side_is_scaled_and_the_centre_of_the_long_one_kept(
    width: int, height: int, size: int
) -> None:
    full = gradient(width, height)
    short = min(width, height)
    left, top = (width - short) // 2, (height - short) // 2
    square = full.crop((left, top, left + short, top + short))
    expected = np.asarray(square.resize((size, size), Image.Resampling.BOX), np.int16)
    for content in (encoded(full), encoded(full, "JPEG", quality=100, subsampling=0)):
        pixels = decoded(content, size)
        assert pixels.shape == (size, size, 3)
        # Within half a stored pixel of the crop and the edges of the filters.
        assert np.abs(pixels.astype(np.int16) - expected).max() <= 2 + 255 // short


def test_a_png_of_the_size_asked_for_keeps_its_bytes() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(decoded(encoded(Image.fromarray(noise)), size=32), noise)


def test_a_much_larger_image_is_scaled_without_aliasing() -> None:
    """Stripes of one pixel average to grey; taking every tenth of them would be black or white."""
    stripes = np.zeros((640, 640), np.uint8)
    stripes[:, ::2] = 255
    for format in ("PNG", "JPEG"):
        pixels = decoded(encoded(Image.fromarray(stripes), format), size=64)
        assert np.abs(pixels.astype(np.int16) - 127).max() <= 8


def warned() -> list[type[Warning]]:
    """The kinds of warnings from Pillow that a user is shown."""
    with warnings.catch_warnings(record=True) as found:
        for kind in (UserWarning, DeprecationWarning):
            warnings.warn_explicit("x", kind, "PIL/Image.py", 1, module="PIL.Image")
    return [each.category for each in found]


def test_of_the_warnings_of_pillow_those_about_metadata_alone_are_kept_back() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert warned() == [UserWarning, DeprecationWarning]
        with strict_pillow():
            assert warned() == [DeprecationWarning]
        warnings.resetwarnings()
        quiet_pillow()
        assert warned() == [DeprecationWarning]


def test_of_an_animation_the_first_picture_is_taken() -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), GREEN)
    content = encoded(first, "WEBP", save_all=True, append_images=[second], lossless=True)
    assert (decoded(content) == RED).all()


def test_webp_under_a_pillow_built_without_it_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = encoded(Image.new("RGB", (8, 8), RED), "WEBP")
    monkeypatch.setattr(WebPImagePlugin, "SUPPORTED", False)
    monkeypatch.setattr(features, "check", lambda name: name != "webp")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's own, which `strict_pillow` keeps from users
        with pytest.raises(ValueError, match="WebP, which this Pillow is built without: pip install pillow"):
            decoded(content)

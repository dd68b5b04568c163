"""Images as the bytes of a file."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def plain(colour: Any, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    return encoded(Image.new(mode, size, colour))

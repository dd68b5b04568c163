"""``images``: the user's own JPEG, PNG and WebP files in a folder or a zip, whose folders are the classes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.arrangement import arranged
from ebgan.data.decode import decode, strict_pillow
from ebgan.data.errors import DataError
from ebgan.data.image_set import ImageSet
from ebgan.data.listing import OpenFile, listed
from ebgan.data.registry import Root, Source, Split
from ebgan.data.skipped import each_file, either, first_few, of_kind

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")

# A logger, so that a program can send the warning elsewhere; one that sets nothing up sees it on stderr.
_log = logging.getLogger(__name__)


def load_images(split: Split, root: Root, size: int | None) -> ImageSet:
    """Read the folder or zip ``root`` into uint8 ``(N, 3, size, size)``, in the order of the sorted paths.

    - Files that end in ``.jpg``, ``.jpeg``, ``.png`` or ``.webp``, in any case, are images. Hidden ones (a
      dot in front of the name) and ``__MACOSX`` are looked past.
    - The folders that they lie in tell their classes and splits: :func:`ebgan.data.arrangement.arranged`.
    - Each image becomes RGB and is scaled and cropped to ``size``: see :func:`ebgan.data.decode.decode`.
      Without ``size`` all must have the same size.

    A file that cannot be decoded is skipped: one warning of the logger ``ebgan.data.images`` counts them and
    names the first. Another counts the files that are no images by their names, as ``.gif`` and ``.txt``.
    Memory: the array and the few files that are being decoded.

    Raises:
        DataError: no root, a root that cannot be read, no usable image, a split that is not there, or images
            of several sizes and no ``size``.
    """
    if root is None:
        raise DataError(
            "data set 'images' needs a root of its own, a folder or zip of JPEG, PNG or WebP files: "
            "give --data-root (root=); EBGAN_DATA, the folder of all sets, is not taken for it"
        )
    path = Path(root)
    with listed(path) as (names, open_file):
        files, others = of_kind(names, _SUFFIXES)
        if not files:
            raise DataError(
                f"{path} holds no images: none of its {others or '0 files'} is {either(_SUFFIXES)}"
            )
        if others:
            _log.warning("ebgan: skipped %s of %s, none of them %s", others, path, either(_SUFFIXES))
        files, labels, classes = arranged(path, files, split, "images")
        images, kept = _read(path, files, open_file, size)
    return ImageSet(images, labels[kept], "images", split, classes)


def _read(
    root: Path, files: Sequence[str], open_file: OpenFile, size: int | None
) -> tuple[NDArray[np.uint8], list[int]]:
    """The images, uint8 ``(N, 3, H, W)``, and the places in ``files`` of those that could be decoded."""
    images = np.empty((0, 3, 0, 0), np.uint8)
    kept: list[int] = []
    skipped: list[str] = []

    def decoded(name: str) -> NDArray[np.uint8]:
        with open_file(name) as file:
            return decode(file, size)

    with strict_pillow(), closing(each_file(files, decoded, title=root.name, unit="image")) as results:
        for index, result in enumerate(results):
            if isinstance(result, str):
                skipped.append(f"{files[index]!r} ({result})")
                continue
            pixels = result.transpose(2, 0, 1)
            if not kept:
                images = np.empty((len(files), *pixels.shape), np.uint8)
            elif pixels.shape != images.shape[1:]:
                (_, height, width), (_, other_height, other_width) = images.shape[1:], pixels.shape
                raise DataError(
                    f"{root}: {files[kept[0]]!r} is {width}x{height}, {files[index]!r} is "
                    f"{other_width}x{other_height}; give a size (size=) that all are brought to"
                )
            images[len(kept)] = pixels
            kept.append(index)
    if not kept:
        raise DataError(f"{root} holds no usable image, {len(files)} files looked at: {first_few(skipped)}")
    if skipped:
        count = len(skipped), len(files)
        _log.warning("ebgan: skipped %d of %d images of %s: %s", *count, root, first_few(skipped))
    return images[: len(kept)], kept


SOURCE = Source("images", load_images, "your own JPEG, PNG and WebP files, in a folder or a zip", "own")

"""``images``: the user's own JPEG, PNG and WebP files in a folder, a zip or tars, with their classes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.arrangement import arranged
from ebgan.data.errors import DataError, reason
from ebgan.data.image_files import ImageFiles, log
from ebgan.data.image_set import ImageSet
from ebgan.data.listing import Listing, listing
from ebgan.data.registry import Root, Source, Split
from ebgan.data.skipped import either, of_kind

_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_CLASS_SUFFIX = ".cls"


def load_images(split: Split, root: Root, size: int | None) -> ImageSet:
    """Read what :func:`open_images` finds into uint8 ``(N, 3, size, size)``, in the order of its paths.

    Without ``size`` all must have the same size. A file that cannot be decoded is skipped: one warning of the
    logger ``ebgan.data.images`` counts them and names the first.

    Raises:
        DataError: as :func:`open_images`, or no usable image, or images of several sizes and no ``size``.
    """
    with closing(open_images(split, root, size)) as files:
        return files.in_memory()


def open_images(split: Split, root: Root, size: int | None) -> ImageFiles:
    """Find the images of one split in ``root``, a folder, a zip, a tar, or a folder of tars.

    - Files that end in ``.jpg``, ``.jpeg``, ``.png`` or ``.webp``, in any case, are images. Hidden ones (a
      dot in front of the name) and ``__MACOSX`` are looked past.
    - The folders that they lie in tell their classes and splits: :func:`ebgan.data.arrangement.arranged`.
      Where files ``.cls`` lie beside them, as in the shards of webdataset, the number in each is the class of
      the image of the same name up to its first dot, and the folders tell the splits alone.
    - Each image becomes RGB and is scaled and cropped to ``size``: see :func:`ebgan.data.decode.decode`.

    One warning of the logger ``ebgan.data.images`` counts the files that are no images by their names, as
    ``.gif`` and ``.txt``. No image is decoded. Memory: about 300 bytes for each file.

    Raises:
        DataError: no root, a root that cannot be read, no image, a split that is not there, or a class that
            is missing or no number.
    """
    if root is None:
        raise DataError(
            "data set 'images' needs a root of its own, a folder, zip or tar of JPEG, PNG or WebP files: "
            "give --data-root (root=); EBGAN_DATA, the folder of all sets, is not taken for it"
        )
    path = Path(root)
    found = listing(path)
    try:
        numbers = {name for name in found.names if name.lower().endswith(_CLASS_SUFFIX)}
        files, others = of_kind([name for name in found.names if name not in numbers], _SUFFIXES)
        if not files:
            raise DataError(
                f"{path} holds no images: none of its {others or '0 files'} is {either(_SUFFIXES)}"
            )
        if others:
            log.warning("ebgan: skipped %s of %s, none of them %s", others, path, either(_SUFFIXES))
        chosen, labels, classes = arranged(path, files, split, "images")
        if numbers:
            labels, classes = _numbered(path, found, numbers, files, chosen)
    except DataError:
        found.close()
        raise
    return ImageFiles(path, found, chosen, labels, "images", split, classes, size)


def _numbered(
    root: Path, found: Listing, numbers: Collection[str], files: Sequence[str], chosen: Sequence[str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The labels of the ``chosen`` images, and the classes of all ``files``, by the files of ``numbers``."""
    beside = {_key(name): name for name in numbers}
    class_of: dict[str, int] = {}
    for file in files:
        name = beside.get(_key(file))
        if name is None:
            raise DataError(
                f"{root}: beside {file!r} there is no {_CLASS_SUFFIX} file, as beside others; put one there, "
                "or remove all"
            )
        class_of[file] = _number(root, found, name)
    values = sorted(set(class_of.values()))
    label = {value: index for index, value in enumerate(values)}
    return np.array([label[class_of[file]] for file in chosen], np.int64), tuple(map(str, values))


def _number(root: Path, found: Listing, name: str) -> int:
    try:
        with found.open_file(name) as file:
            return int(file.read())
    except (OSError, ValueError) as error:
        raise DataError(
            f"{root}: {name!r} cannot be read ({reason(error)}); it must hold the number of a class"
        ) from error


def _key(name: str) -> str:
    """The name up to the first dot behind its last folder, which files of one example share."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.partition(".")[0]


SOURCE = Source(
    "images",
    load_images,
    "your own JPEG, PNG and WebP files, in a folder, a zip or tars",
    "own",
    open=open_images,
)

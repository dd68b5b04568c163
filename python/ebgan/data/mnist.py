"""``mnist`` and ``fashion-mnist``: 60,000 + 10,000 grey images of 28x28, each set in four IDX files.

Sources: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits (CC BY-SA 3.0);
H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747 (MIT licence).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ebgan.data.download import fetch_file
from ebgan.data.errors import DataError
from ebgan.data.idx import read_idx
from ebgan.data.image_set import ImageSet
from ebgan.data.registry import Root, Source, Split, data_root

_COUNT = {"train": 60_000, "test": 10_000}
_FILE_PREFIX = {"train": "train", "test": "t10k"}


@dataclass(frozen=True)
class IdxRelease:
    """The four files of a release: where they are published and the SHA-256 of each, gzipped."""

    name: str
    about: str
    classes: tuple[str, ...]
    base_url: str
    sha256: dict[str, str]


def load_release(release: IdxRelease, split: Split, root: Root, size: int | None) -> ImageSet:
    """Read ``root/NAME/{train,t10k}-{images-idx3,labels-idx1}-ubyte[.gz]``; the images are 28x28 always.

    ``train-images.idx3-ubyte``, as some programs name the unpacked file, is read, too.

    Gzipped files are the release as published, and their checksums are verified. Unpacked ones are taken
    where no gzipped one is there; they are checked by structure and count alone.
    """
    folder = data_root(release.name, root) / release.name
    prefix = _FILE_PREFIX[split]
    count = _COUNT[split]
    images = _read(release, folder, f"{prefix}-images-idx3-ubyte", (count, 28, 28))
    labels = _read(release, folder, f"{prefix}-labels-idx1-ubyte", (count,))
    return ImageSet(images[:, None], labels.astype(np.int64), release.name, split, release.classes)


def download_release(release: IdxRelease, root: Path, base_url: str | None, progress: bool) -> Path:
    """Fetch the four gzipped files into ``root/NAME`` and return that folder."""
    folder = root / release.name
    address = (base_url or release.base_url).rstrip("/")
    for file, sha256 in release.sha256.items():
        fetch_file(f"{address}/{file}", folder / file, sha256, progress)
    return folder


def _read(release: IdxRelease, folder: Path, stem: str, shape: tuple[int, ...]) -> NDArray[Any]:
    packed, dotted = folder / f"{stem}.gz", stem.replace("-idx", ".idx")
    there = [path for path in (packed, folder / stem, folder / dotted) if path.exists()]
    if not there:
        raise DataError(
            f"data set {release.name!r}: neither {packed} nor the unpacked file is there; to fetch it: "
            f"ebgan data download {release.name} --root {folder.parent}"
        )
    path = there[0]
    array = read_idx(path, release.sha256.get(path.name))
    if array.dtype != np.uint8 or array.shape != shape:
        raise DataError(f"{path} holds {array.dtype} {array.shape}, expected uint8 {shape}; download it anew")
    return array


MNIST = IdxRelease(
    name="mnist",
    about="handwritten digits",
    classes=tuple("0123456789"),
    base_url="https://ossci-datasets.s3.amazonaws.com/mnist",
    sha256={
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
)

# The label files were hashed as they lie in the authors' repository; the sums of the image files are those
# that several independent projects publish beside the authors' MD5 sums.
FASHION_MNIST = IdxRelease(
    name="fashion-mnist",
    about="pictures of clothes",
    classes=(
        "T-shirt/top",
        "trouser",
        "pullover",
        "dress",
        "coat",
        "sandal",
        "shirt",
        "sneaker",
        "bag",
        "ankle boot",
    ),
    base_url="https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion",
    sha256={
        "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
)

SOURCES = tuple(
    Source(
        release.name,
        partial(load_release, release),
        f"70,000 {release.about}, grey, 28x28 pixels",
        "root",
        partial(download_release, release),
    )
    for release in (MNIST, FASHION_MNIST)
)

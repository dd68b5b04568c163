"""Data sets by name: what they hold, and one line that says the remedy where they cannot be read."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ebgan.data import DataError, ImageSet, load, names, register
from ebgan.data.idx import read_idx
from ebgan.data.registry import Source, Split

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")

IMAGES_HEADER = bytes.fromhex("00000803 00002710 0000001c 0000001c")  # uint8, 10,000 x 28 x 28
LABELS_HEADER = bytes.fromhex("00000801 00002710")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A data root that holds an unpacked test split of black images, labelled 0 to 9 in turn."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    (folder / "t10k-images-idx3-ubyte").write_bytes(IMAGES_HEADER + bytes(10_000 * 28 * 28))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(LABELS_HEADER + bytes(range(10)) * 1000)
    return tmp_path


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


def test_unpacked_files_are_read_under_the_name_that_7_zip_gives_them(root: Path) -> None:
    for file in (root / "mnist").iterdir():
        file.rename(file.with_name(file.name.replace("-idx", ".idx")))
    assert load("mnist", "test", root).labels[:12].tolist() == [*range(10), 0, 1]


def test_digits_are_whole_bytes_from_black_to_white_in_disjoint_stratified_splits() -> None:
    train, test = load("digits", "train"), load("digits", "test")
    assert train.images.shape == (1442, 1, 8, 8) and test.images.shape == (355, 1, 8, 8)
    for part in (train, test):
        assert part.images.dtype == np.uint8 and part.labels.dtype == np.int64
        assert part.images.min() == 0 and part.images.max() == 255 and len(np.unique(part.images)) == 17
    share = np.bincount(test.labels) / (np.bincount(train.labels) + np.bincount(test.labels))
    assert share.shape == (10,) and (share > 0.19).all() and (share <= 0.2).all()
    assert not {image.tobytes() for image in train.images} & {image.tobytes() for image in test.images}


def test_digits_are_the_same_to_the_bit_on_every_machine() -> None:
    test = load("digits", "test")
    assert test.labels[:12].tolist() == [5, 0, 9, 8, 7, 1, 2, 6, 3, 4, 0, 2]
    digest = hashlib.sha256(test.images.tobytes()).hexdigest()
    assert digest == "747b8e40cc4d21a26c27e6681d6b5641b1d1c96162f713457890ca5ee65f561d"


@real_data
@pytest.mark.parametrize(
    ("split", "count", "first_labels", "sevens"),
    [("train", 60_000, [5, 0, 4, 1, 9], 6265), ("test", 10_000, [7, 2, 1, 0, 4], 1028)],
)
def test_mnist_is_the_published_release(
    split: Split, count: int, first_labels: list[int], sevens: int
) -> None:
    mnist = load("mnist", split)
    assert mnist.images.shape == (count, 1, 28, 28) and mnist.classes == tuple("0123456789")
    assert mnist.labels[:5].tolist() == first_labels and (mnist.labels == 7).sum() == sevens


def test_unpacked_files_are_read_where_no_gzipped_one_is_there(root: Path) -> None:
    mnist = load("mnist", "test", root)
    assert mnist.images.shape == (10_000, 1, 28, 28) and mnist.labels[:11].tolist() == [*range(10), 0]


def test_the_root_comes_from_the_environment_and_the_argument_goes_before_it(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBGAN_DATA", str(root))
    assert len(load("mnist", "test")) == 10_000
    with raises("t10k-images-idx3-ubyte.gz nor the unpacked file is there"):
        load("mnist", "test", root / "mnist")


def test_a_missing_root_is_named_with_both_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EBGAN_DATA", raising=False)
    with raises("'mnist' needs a data root: give --data-root (root=) or set EBGAN_DATA"):
        load("mnist")
    with raises("ebgan data download mnist --root DIR"):
        load("mnist")
    with raises(f"the data root names '{tmp_path / 'nowhere'}', which is not a folder"):
        load("mnist", root=tmp_path / "nowhere")
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path / "nowhere"))
    with raises("EBGAN_DATA names"):
        load("mnist")


def test_a_missing_file_is_named_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with raises(f"{tmp_path}/fashion-mnist/train-images-idx3-ubyte.gz"):
        load("fashion-mnist", "train", tmp_path)
    with raises(f"ebgan data download fashion-mnist --root {tmp_path}"):
        load("fashion-mnist", "train", tmp_path)


def test_unknown_names_and_splits_list_the_known_ones() -> None:
    assert {"digits", "mnist", "fashion-mnist", "images"} <= set(names())
    with raises("unknown data set 'mnst'; known are digits, fashion-mnist, images, mnist, norb"):
        load("mnst")
    with raises("unknown split 'validation'"):
        load("digits", "validation")  # type: ignore[arg-type]


def test_a_gzipped_file_that_is_not_the_release_is_refused_by_its_checksum(root: Path) -> None:
    path = root / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(LABELS_HEADER + bytes(10_000)))
    with raises(f"{path} is damaged or of another release: its SHA-256 is"):
        load("mnist", "test", root)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LABELS_HEADER + bytes(9_999), "10000 bytes of elements, the file holds 9999: it is cut short"),
        (b"\x01" + LABELS_HEADER[1:] + bytes(10_000), "bad magic number"),
        (bytes.fromhex("00000801 00000002") + bytes(2), "holds uint8 (2,), expected uint8 (10000,)"),
        (bytes.fromhex("00000901 00002710") + bytes(10_000), "holds int8 (10000,), expected uint8 (10000,)"),
        (LABELS_HEADER + bytes([10]) * 10_000, "labels run from 10 to 10, but there are 10 classes"),
    ],
)
def test_a_damaged_unpacked_file_is_refused_with_the_reason(root: Path, content: bytes, message: str) -> None:
    (root / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(content)
    with raises(message):
        load("mnist", "test", root)


PACKED = gzip.compress(LABELS_HEADER + bytes(range(10)) * 1000, mtime=0)


@pytest.mark.parametrize(
    "content",
    [PACKED[: len(PACKED) // 2], PACKED[:-4] + bytes(4), PACKED[:20] + b"\xff\xff" + PACKED[22:], b"no gzip"],
    ids=["cut", "wrong length", "flipped bytes", "no gzip"],
)
def test_a_damaged_gzip_stream_names_the_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "labels.gz"
    path.write_bytes(content)
    with raises(f"{path} cannot be unpacked ("):
        read_idx(path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with raises(f"cannot read {tmp_path}: Is a directory"):
        read_idx(tmp_path)


def image_set(**changes: Any) -> ImageSet:
    fields: dict[str, Any] = {
        "images": np.zeros((4, 1, 8, 8), np.uint8),
        "labels": np.zeros(4, np.int64),
    } | changes
    return ImageSet(**fields, name="own", split="train", classes=("zero",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": np.zeros((4, 1, 8, 8), np.float32)}, "own: images are float32"),
        ({"images": np.zeros((4, 8, 8), np.uint8)}, "uint8 (4, 8, 8), expected uint8 (N, C, H, W)"),
        ({"images": np.zeros((4, 1, 8, 8), np.uint8)[..., ::-1]}, "in C order"),
        ({"labels": np.zeros(3, np.int64)}, "own: labels are int64 (3,), expected int64 (4,)"),
        ({"labels": np.zeros(4, np.uint8)}, "own: labels are uint8"),
        ({"labels": np.full(4, -1)}, "labels run from -1 to -1, but there are 1 classes"),
    ],
)
def test_an_own_image_set_of_the_wrong_form_is_refused(changes: dict[str, Any], message: str) -> None:
    with raises(message):
        image_set(**changes)


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'digits' is registered already"):
        register(Source("digits", lambda split, root, size: image_set(), "digits", "embedded"))

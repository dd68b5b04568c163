"""Image folders and zips: what is read, under which class and split, and what is skipped and counted."""

from __future__ import annotations

import logging
import os
import re
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ebgan.data import DataError, ImageSet, load
from ebgan.errors import UserError
from support.image_files import encoded, plain

real_data = pytest.mark.skipif("EBGAN_DATA" not in os.environ, reason="EBGAN_DATA names no real data")

RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def colours(images: ImageSet) -> list[tuple[int, ...]]:
    return [tuple(pixel) for pixel in images.images[:, :, 4, 4].tolist()]


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


CLASSES = {
    "cats/red.PNG": plain(RED),
    "cats/young/b.png": plain(GREEN),
    "ants/c.jpeg": encoded(Image.new("RGB", (8, 8), BLUE), "JPEG", quality=100, subsampling=0),
    "cats/z.webp": encoded(Image.new("RGB", (8, 8), RED), "WEBP", lossless=True),
    "cats/.hidden.png": plain(RED),
    "__MACOSX/cats/red.png": plain(RED),
    "cats/._red.PNG": b"resource fork",
    ".DS_Store": b"finder",
    "LICENSE.txt": b"words",
}


@pytest.mark.parametrize("wrapper", ["", "pets/", "download/pets/"])
@pytest.mark.parametrize("make", [folder, zipped])
def test_folders_are_the_classes_and_paths_the_order_in_folder_and_zip_alike(
    make: Any, wrapper: str, tmp_path: Path
) -> None:
    root = make(tmp_path / "own.zip", {wrapper + name: content for name, content in CLASSES.items()})
    pets = load("images", root=root)
    assert pets.classes == ("ants", "cats") and pets.labels.tolist() == [0, 1, 1, 1]
    assert colours(pets) == [(0, 0, 254), RED, GREEN, RED]
    assert pets.images.shape == (4, 3, 8, 8) and (pets.name, pets.split) == ("images", "train")


def test_loose_images_are_one_class_named_after_what_they_lie_in(tmp_path: Path) -> None:
    flat = {"b.png": plain(RED), "a.png": plain(GREEN)}
    for root in (folder(tmp_path / "faces", flat), zipped(tmp_path / "faces.zip", flat)):
        images = load("images", root=root)
        assert images.classes == ("faces",) and colours(images) == [GREEN, RED]
    wrapped = zipped(tmp_path / "x.zip", {f"people/{name}": content for name, content in flat.items()})
    assert load("images", root=wrapped).classes == ("people",)
    mixed = folder(tmp_path / "faces", {"stars/c.png": plain(BLUE)})
    assert load("images", root=mixed).classes == ("faces", "stars")


def test_a_linked_class_folder_is_followed(tmp_path: Path) -> None:
    elsewhere = folder(tmp_path / "elsewhere", {"a.png": plain(RED)})
    root = folder(tmp_path / "root", {"cats/a.png": plain(GREEN)})
    (root / "dogs").symlink_to(elsewhere)
    assert load("images", root=root).classes == ("cats", "dogs")


@pytest.mark.parametrize("test_folder", ["test", "val"])
def test_folders_train_and_test_are_splits_that_number_their_classes_alike(
    test_folder: str, tmp_path: Path
) -> None:
    files = {"train/b/1.png": RED, "train/c/1.png": GREEN, f"{test_folder}/a/1.png": BLUE}
    files |= {f"{test_folder}/c/1.png": GREEN}
    root = folder(tmp_path, {f"pets/{name}": plain(colour) for name, colour in files.items()})
    train, test = load("images", "train", root), load("images", "test", root)
    assert train.classes == test.classes == ("a", "b", "c")
    assert train.labels.tolist() == [1, 2] and test.labels.tolist() == [0, 2]
    assert colours(train) == [RED, GREEN] and colours(test) == [BLUE, GREEN] and test.split == "test"


def test_beside_a_test_folder_val_is_left_out(tmp_path: Path) -> None:
    splits = {"train": RED, "test": GREEN, "val": BLUE}
    root = folder(tmp_path / "own", {f"{name}/1.png": plain(colour) for name, colour in splits.items()})
    train, test = load("images", "train", root), load("images", "test", root)
    assert colours(train) == [RED] and colours(test) == [GREEN] and test.classes == ("own",)


def test_without_split_folders_all_is_train_and_test_is_refused_with_the_remedy(tmp_path: Path) -> None:
    root = folder(tmp_path, {"train/1.png": plain(RED), "toast/1.png": plain(RED), "test/1.png": plain(RED)})
    assert load("images", "train", root).classes == ("test", "toast", "train")
    with raises(
        f"{root} has no test split: load 'train', or sort the images into folders 'train' and 'test'"
    ):
        load("images", "test", root)


def test_sizes_and_modes_may_mix_where_a_size_is_given_and_are_named_where_none_is(tmp_path: Path) -> None:
    files = {"a.png": plain(RED, (20, 9)), "b.png": plain(90, (7, 31), "L"), "c.png": plain(BLUE, (8, 8))}
    root = folder(tmp_path, files)
    images = load("images", root=root, size=8)
    assert images.images.shape == (3, 3, 8, 8) and colours(images) == [RED, (90, 90, 90), BLUE]
    with raises(f"{root}: 'a.png' is 20x9, 'b.png' is 7x31; give a size (size=)"):
        load("images", root=root)
    with pytest.raises(UserError, match=r"^size: got 0, "):
        load("images", root=root, size=0)


def png_of(width: int, height: int) -> bytes:
    """A PNG that claims a size and ends where its pixels begin."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1000) + b"IDAT"


NOISE = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
JPEG, PNG = (encoded(Image.fromarray(NOISE), format) for format in ("JPEG", "PNG"))
BROKEN = {
    "a cut.jpg": (JPEG[: len(JPEG) // 2], "truncated"),
    "b cut.png": (PNG[: len(PNG) // 2], "truncated"),
    "c flipped.png": (PNG[:2000] + b"\xff\x00\xff" + PNG[2003:], ""),
    "d empty.jpg": (b"", "not a JPEG, PNG or WebP image"),
    "e text.jpg": (b"words" * 100, "not a JPEG, PNG or WebP image"),
    "f other.png": (encoded(Image.fromarray(NOISE), "GIF"), "not a JPEG, PNG or WebP image"),
    "g bomb.png": (png_of(9500, 9500), "decompression bomb"),
    "h bigger bomb.png": (png_of(30000, 30000), "decompression bomb"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("make", [folder, zipped])
def test_a_broken_file_is_skipped_and_the_warning_says_why(
    name: str, make: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    content, why = BROKEN[name]
    files = {"bad/0.png": plain(GREEN), f"bad/{name}": content, "good/1.png": plain(RED)}
    root = make(tmp_path / "own", files)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        images = load("images", root=root, size=8)
    assert colours(images) == [GREEN, RED] and images.labels.tolist() == [0, 1]
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("ebgan.data.images", logging.WARNING)
    start = f"ebgan: skipped 1 of 3 images of {root}: 'bad/{name}' ("
    line = record.getMessage()
    assert line.startswith(start) and why in line and len(line) > len(start) + 5 and "\n" not in line


def test_many_skips_are_counted_and_the_first_three_named_on_one_line_of_stderr(tmp_path: Path) -> None:
    root = folder(tmp_path, {f"{index}.jpg": b"words" for index in range(9)} | {"9.png": plain(RED)})
    script = f"from ebgan.data import load; load('images', root={str(root)!r})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    why = "(not a JPEG, PNG or WebP image)"
    expected = (
        f"ebgan: skipped 9 of 10 images of {root}: '0.jpg' {why}, '1.jpg' {why}, '2.jpg' {why} and 6 more\n"
    )
    assert (done.stdout, done.stderr) == ("", expected)


def test_files_that_are_no_images_are_counted_by_their_suffix_and_never_passed_over_in_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["1.gif", "2.GIF", "3.gif", "4.tiff", "5.tiff", "6.bmp", "7.avif", "LICENSE", ".hidden"]
    files = {f"cats/{name}": plain(RED) for name in names} | {"cats/0.png": plain(RED)}
    for root in (folder(tmp_path / "own", files), zipped(tmp_path / "own.zip", files)):
        caplog.clear()
        assert len(load("images", root=root)) == 1
        (line,) = caplog.messages
        start = "ebgan: skipped 8 files (3 .gif, 2 .tiff, 1 "
        assert line.startswith(start)
        assert line.endswith(f"and 2 more) of {root}, none of them .jpg, .jpeg, .png or .webp")
    (tmp_path / "own" / "cats" / "0.png").unlink()
    with raises("none of its 8 files (3 .gif, 2 .tiff, 1 "):
        load("images", root=tmp_path / "own")


def test_whole_images_load_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = folder(
        tmp_path, {"a.jpg": encoded(Image.fromarray(NOISE), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff")}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(load("images", root=root)) == 1
    assert not caplog.records


def damaged(path: Path) -> Path:
    """The zip at ``path`` with one byte of its first member, stored as it is, changed."""
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 8] ^= 1
    path.write_bytes(content)
    return path


def test_a_member_with_a_wrong_checksum_or_of_a_vast_size_is_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.png", plain(RED))
        archive.writestr("b.png", plain(GREEN))
        with archive.open(zipfile.ZipInfo("c.png"), "w") as vast:
            vast.write(bytes(1))
        archive.getinfo("c.png").file_size = (1 << 27) + 1
    assert colours(load("images", root=damaged(path))) == [GREEN]
    (record,) = caplog.records
    assert "'a.png' (Bad CRC-32 for file 'a.png')" in record.getMessage()
    assert "'c.png' (unpacks to 134217729 bytes, allowed are 134217728)" in record.getMessage()


def test_a_member_that_unpacks_to_far_more_than_its_size_is_not_unpacked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = zipped(tmp_path / "own.zip", {"a.png": plain(RED), "b.png": bytes((1 << 24) + 1)})
    assert colours(load("images", root=path)) == [RED]
    assert "'b.png' (unpacks from 16310 bytes to 16777217, as no picture does)" in caplog.text


def test_a_zip_with_twenty_thousand_entries_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/1.png", plain(RED))
        for number in range(20_000):
            archive.writestr(f"a/{number}.txt", b"")
    assert colours(load("images", root=path)) == [RED]


def test_a_root_must_be_given_even_where_the_environment_names_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EBGAN_DATA", str(folder(tmp_path, {"a.png": plain(RED)})))
    with raises(
        "'images' needs a root of its own, a folder, zip or tar of JPEG, PNG or WebP files: give --data-root "
        "(root=)"
    ):
        load("images")


def test_a_root_with_nothing_to_read_is_named(tmp_path: Path) -> None:
    with raises(
        f"cannot read {tmp_path / 'nowhere'}: No such file or directory; give a folder, a zip or a tar"
    ):
        load("images", root=tmp_path / "nowhere")
    with raises(f"{tmp_path} holds no images: none of its 0 files is .jpg, .jpeg, .png or .webp"):
        load("images", root=tmp_path)
    notes = folder(tmp_path / "notes", {"a.txt": b"a", "b/.c.png": plain(RED)})
    with raises(f"{notes} holds no images: none of its 1 files (1 .txt) is .jpg, .jpeg, .png or .webp"):
        load("images", root=notes)
    broken = folder(tmp_path / "broken", {f"{index}.jpg": b"words" for index in range(5)})
    with raises(
        f"{broken} holds no usable image, 5 files looked at: '0.jpg' (not a JPEG, PNG or WebP image), "
        "'1.jpg' (not a JPEG, PNG or WebP image), '2.jpg' (not a JPEG, PNG or WebP image) and 2 more"
    ):
        load("images", root=broken)


def test_a_file_that_is_no_whole_zip_is_refused(tmp_path: Path) -> None:
    whole = zipped(tmp_path / "own.zip", {"a.png": plain(RED)}).read_bytes()
    for content in (b"", b"words", plain(RED), whole[:-10]):
        path = tmp_path / "broken.zip"
        path.write_bytes(content)
        with raises(f"{path} is neither a folder nor a .tar nor a whole zip (File is not a zip file)"):
            load("images", root=path)


def test_backslashes_between_folders_are_slashes(tmp_path: Path) -> None:
    """A zip that PowerShell 5 packed; `zipfile` writes such names as they are where `/` parts folders."""
    names = [f"{split}\\{kind}\\1.png" for split in ("train", "test") for kind in ("cats", "dogs")]
    path = zipped(tmp_path / "own.zip", {name: plain(RED) for name in names})
    for split in ("train", "test"):
        found = load("images", split, path, size=8)
        assert found.classes == ("cats", "dogs") and found.labels.tolist() == [0, 1]


@pytest.mark.parametrize("name", ["../a.png", "a/../../b.png", "/etc/a.png", "C:/a.png", "..\\a.png"])
def test_a_name_that_leads_out_of_a_zip_is_refused(tmp_path: Path, name: str) -> None:
    path = zipped(tmp_path / "own.zip", {"a/1.png": plain(RED), name: plain(RED)})
    with raises(f"{path} holds {name!r}, a name that leads out of it; pack it anew"):
        load("images", "train", path, size=8)


def test_a_name_that_a_zip_holds_twice_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "own.zip", {"a/1.png": plain(RED), "a\\1.png": plain(RED)})
    with raises(f"{path} holds 'a\\\\1.png' twice; take one out, or pack it anew"):
        load("images", "train", path, size=8)


def test_a_zip_in_a_zip_is_counted_among_what_is_no_image(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inner = zipped(tmp_path / "inner.zip", {"a.png": plain(RED)}).read_bytes()
    path = zipped(tmp_path / "own.zip", {"a/1.png": plain(RED), "a/more.zip": inner})
    assert len(load("images", "train", path, size=8)) == 1
    assert "skipped 1 files (1 .zip)" in caplog.text


def test_an_encrypted_zip_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = zipped(tmp_path / "own.zip", {"a.png": plain(RED)})
    content = bytearray(path.read_bytes())
    content[6] |= 1  # the flag in the member's own header, and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with raises(f"{path} is encrypted: unpack it with its password and give the folder"):
        load("images", root=path)


def test_a_link_to_nowhere_is_skipped_and_one_to_a_folder_around_it_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = folder(tmp_path, {"a/1.png": plain(RED), "b/1.png": plain(RED)})
    (root / "a" / "2.png").symlink_to(tmp_path / "nowhere")
    assert len(load("images", root=root)) == 2
    assert "'a/2.png' (No such file or directory)" in caplog.text
    (root / "a" / "there").symlink_to(root / "b")
    (root / "b" / "back").symlink_to(root / "a")
    with raises(f"{root / 'a' / 'there' / 'back'} is a link to a folder that it lies in: remove the link"):
        load("images", root=root)


@real_data
def test_the_dogs_of_tiny_imagenet_are_3300_of_six_breeds_in_two_splits() -> None:
    path = Path(os.environ["EBGAN_DATA"], "dogs", "tiny_imagenet_dogs_64.zip")
    for split, count in (("train", 500), ("test", 50)):
        dogs = load("images", split, path, size=64)  # type: ignore[arg-type]
        assert dogs.images.shape == (6 * count, 3, 64, 64)
        assert np.bincount(dogs.labels).tolist() == [count] * 6 and dogs.classes[0] == "n02085620"
        assert 60 < dogs.images.mean() < 160

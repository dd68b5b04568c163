"""Images in tars and in folders of tars: their classes, their splits, and what is refused."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path

import pytest

from ebgan.data import DataError, load
from ebgan.data.images import open_images
from support.image_archives import folder, sharded, tarred
from support.image_files import plain

RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 255)


def colours(root: Path, split: str = "train") -> list[tuple[int, ...]]:
    return [tuple(pixel) for pixel in load("images", split, root).images[:, :, 4, 4].tolist()]


def raises(message: str) -> pytest.RaisesExc[DataError]:
    return pytest.raises(DataError, match=re.escape(message))


@pytest.mark.parametrize("make", [tarred, sharded])
def test_folders_in_tars_are_classes_as_in_a_folder(make, tmp_path):
    files = {"./cats/b.png": RED, "ants/a.png": GREEN, "cats/a.png": BLUE, "cats/._b.png": RED}
    root = make(tmp_path / "pets", {name: plain(colour) for name, colour in files.items()})
    images = load("images", root=root)
    assert images.classes == ("ants", "cats")
    assert sorted(zip(images.labels.tolist(), colours(root), strict=True)) == [
        (0, GREEN),
        (1, BLUE),
        (1, RED),
    ]


def test_loose_images_of_shards_are_one_class_named_after_the_folder_of_the_shards(tmp_path):
    root = sharded(tmp_path / "faces", {f"{index}.png": plain(RED) for index in range(3)})
    assert load("images", root=root).classes == ("faces",)
    lone = tarred(tmp_path / "people", {"a.png": plain(RED)})
    assert load("images", root=lone).classes == ("people",)


def test_keys_may_repeat_from_shard_to_shard(tmp_path):
    for shard, colour in (("x-0", RED), ("x-1", GREEN)):
        tarred(tmp_path / shard, {"0001.png": plain(colour)})
    assert colours(tmp_path) == [RED, GREEN]


@pytest.mark.parametrize("make", [folder, tarred, sharded])
def test_a_number_beside_the_image_is_its_class_with_one_numbering_for_both_splits(make, tmp_path):
    splits = {"train": {"a": (RED, b"7\n"), "b.left": (GREEN, b"10")}, "val": {"c": (BLUE, b" 2")}}
    for split, examples in splits.items():
        files = {}
        for key, (colour, number) in examples.items():
            files |= {f"{key}.png": plain(colour), f"{key.partition('.')[0]}.cls": number}
        make(tmp_path / "set" / split / "x", files)
    train, test = load("images", "train", tmp_path / "set"), load("images", "test", tmp_path / "set")
    assert train.classes == test.classes == ("2", "7", "10")
    assert (train.labels.tolist(), test.labels.tolist()) == ([1, 2], [0])
    assert colours(tmp_path / "set") == [RED, GREEN] and colours(tmp_path / "set", "test") == [BLUE]


def test_other_members_of_an_example_are_counted_and_class_files_are_not(tmp_path, caplog):
    root = tarred(tmp_path / "x", {"a.png": plain(RED), "a.cls": b"1", "a.json": b"{}", "a.txt": b"words"})
    load("images", root=root)
    (line,) = caplog.messages
    assert line.startswith("ebgan: skipped 2 files (1 .json, 1 .txt) of ")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.cls": b"cat"}, "'a.cls' cannot be read (invalid literal"),
        ({"a.cls": b""}, "'a.cls' cannot be read (invalid literal"),
        ({"a.cls": b"1", "b.png": plain(RED)}, "beside 'b.png' there is no .cls file, as beside others"),
    ],
)
def test_a_class_that_is_no_number_or_missing_is_refused(files, message, tmp_path):
    with raises(message):
        load("images", root=tarred(tmp_path / "x", {"a.png": plain(RED), **files}))


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "b/../../a.png"])
def test_a_name_that_leads_out_is_refused(name, tmp_path):
    with raises("a name that leads out of it"):
        load("images", root=tarred(tmp_path / "x", {name: plain(RED)}))


def test_a_name_that_is_there_twice_is_refused(tmp_path):
    with raises("holds './a.png' twice"):
        load("images", root=tarred(tmp_path / "x", {"a.png": plain(RED), "./a.png": plain(GREEN)}))


def test_a_link_has_no_bytes_and_is_refused_with_the_remedy(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        link = tarfile.TarInfo("b.png")
        link.type, link.linkname = tarfile.SYMTYPE, "a.png"
        archive.addfile(link)
    with raises("holds 'b.png', a link; pack it anew with --dereference"):
        load("images", root=tmp_path / "x.tar")


@pytest.mark.parametrize("damage", ["cut", "cut at a file", "compressed", "words"])
def test_a_tar_that_is_not_whole_or_compressed_is_named(damage, tmp_path):
    whole = tarred(tmp_path / "whole" / "x", {f"{i}.png": plain(RED) for i in range(3)}).read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("a.png"))
    content = {
        "cut": whole[:1200],
        "cut at a file": whole[:1024],
        "compressed": packed.getvalue(),
        "words": b"words" * 300,
    }[damage]
    folder(tmp_path / "set", {"x.tar": content})
    with raises(f"{tmp_path / 'set' / 'x.tar'} is not a whole tar without compression"):
        load("images", root=tmp_path / "set")


def test_a_member_whose_bytes_are_gone_by_the_time_they_are_read_is_a_damaged_image(tmp_path, caplog):
    root = sharded(tmp_path / "set", {f"{index}.png": plain(RED) for index in range(4)})
    files = open_images("train", root, 8)
    shard = root / "shard-001.tar"
    shard.write_bytes(shard.read_bytes()[:600])
    assert len(files.in_memory()) == 3
    assert "shard-001.tar ends after " in caplog.text

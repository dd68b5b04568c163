"""Video folders: what is read, under which class and split, and what is skipped, broken or refused."""

from __future__ import annotations

import logging
import re
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ebgan.data import ClipSet, DataError, load_clips, read_video
from ebgan.data.video_file import FrameMemory, look_through
from ebgan.errors import UserError
from support.video_files import wandering, write_video

MOVING = wandering()
LONG = wandering(60, 96, 128)
LOSSY = {"a.avi": "mpeg4", "a.mp4": "libx264", "a.mov": "mpeg4", "a.mkv": "libx264"}


def raises(message: str, error: type[Exception] = DataError) -> pytest.RaisesExc[Exception]:
    return pytest.raises(error, match=re.escape(message))


def folder(root: Path, files: dict[str, Any]) -> Path:
    """A folder of videos, given by their frames, and of other files, given by their bytes."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            (root / name).write_bytes(content)
        else:
            write_video(root / name, content)
    return root


def names(clips: ClipSet) -> list[str]:
    return [clip.name for clip in clips.clips]


@pytest.mark.parametrize("size", [(48, 64), (37, 51)])
def test_frames_come_back_to_the_bit_in_order_odd_sizes_included(
    size: tuple[int, int], tmp_path: Path
) -> None:
    frames = wandering(9, *size)
    np.testing.assert_array_equal(read_video(write_video(tmp_path / "a.mkv", frames)), frames)


@pytest.mark.parametrize("name", LOSSY)
def test_common_containers_and_codecs_are_read_in_colour_and_order(name: str, tmp_path: Path) -> None:
    ramp = np.zeros((12, 32, 48, 3), np.uint8)
    ramp[..., 0], ramp[..., 1], ramp[..., 2] = 200, 20, np.arange(0, 240, 20)[:, None, None]
    frames = read_video(write_video(tmp_path / name, ramp, codec=LOSSY[name], pixels="yuv420p"))
    assert frames.shape == ramp.shape and frames.flags.c_contiguous
    assert np.abs(frames.astype(int) - ramp).max() < 12


def test_grey_is_repeated_in_all_three_colours(tmp_path: Path) -> None:
    grey = MOVING[..., 0]
    frames = read_video(write_video(tmp_path / "a.mkv", grey, pixels="gray"))
    np.testing.assert_array_equal(frames, np.repeat(grey[..., None], 3, axis=-1))


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_a_video_that_was_held_askew_is_turned_upright(rotation: int, tmp_path: Path) -> None:
    options: dict[str, Any] = {"codec": "mpeg4", "pixels": "yuv420p"}
    plain = read_video(write_video(tmp_path / "plain.mp4", MOVING, **options))
    turned = write_video(tmp_path / "turned.mp4", MOVING, **options, rotation=rotation)
    np.testing.assert_array_equal(read_video(turned), np.rot90(plain, rotation // 90, axes=(1, 2)))
    index, _ = look_through(turned, FrameMemory(0))
    np.testing.assert_array_equal(index.read(2, 5), read_video(turned)[2:5])


@pytest.mark.parametrize("matrix", [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)])
def test_a_mirrored_or_transposed_video_is_shown_as_its_matrix_says(
    matrix: tuple[int, int, int, int], tmp_path: Path
) -> None:
    across, _, _, down = matrix
    options: dict[str, Any] = {"codec": "mpeg4", "pixels": "yuv420p"}
    plain = read_video(write_video(tmp_path / "plain.mp4", MOVING, **options))
    mirrored = write_video(tmp_path / "mirrored.mp4", MOVING, **options, matrix=matrix)
    np.testing.assert_array_equal(read_video(mirrored), plain[:, ::down, ::across])
    # A step to the right leads down (or up), a step down leads to the right (or left).
    turned = write_video(tmp_path / "turned.mp4", MOVING, **options, matrix=(0, down, across, 0))
    np.testing.assert_array_equal(read_video(turned), plain.transpose(0, 2, 1, 3)[:, ::down, ::across])


def test_a_telephone_held_upright_turns_its_video_clockwise(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", MOVING, codec="mpeg4", pixels="yuv420p", rotation=-90)
    content = path.read_bytes()
    start = content.index(b"tkhd") + 44
    matrix = struct.unpack(">9i", content[start : start + 36])
    assert [value >> 16 for value in (*matrix[:2], *matrix[3:5])] == [0, 1, -1, 0]
    assert read_video(path).shape == (12, 64, 48, 3)


@pytest.mark.parametrize("name", LOSSY)
def test_any_run_of_frames_is_the_same_from_memory_and_from_the_file(name: str, tmp_path: Path) -> None:
    root = tmp_path / "clips"
    write_video(root / name, wandering(40), codec=LOSSY[name], pixels="yuv420p")
    (held,) = load_clips("videos", root=root).clips
    (decoded,) = load_clips("videos", root=root, memory=held.frames().nbytes - 1).clips
    assert held.in_memory and not decoded.in_memory
    for start, count in ((0, 40), (0, 1), (39, 1), (13, 8), (31, 9), (5, 0)):
        np.testing.assert_array_equal(decoded.frames(start, count), held.frames(start, count))
    with raises("has frames 0 to 39, asked for 38 to 40", UserError):
        decoded.frames(38, 3)


def test_memory_goes_to_as_many_files_as_it_has_room_for(tmp_path: Path) -> None:
    root = folder(tmp_path, {f"{number}.mkv": MOVING for number in range(5)})
    clips = load_clips("videos", root=root, memory=2 * MOVING.nbytes).clips
    assert sum(clip.in_memory for clip in clips) <= 2
    for clip in clips:
        np.testing.assert_array_equal(clip.frames(3, 4), MOVING[3:7])


def test_a_file_that_is_not_kept_gives_its_memory_back(tmp_path: Path) -> None:
    memory = FrameMemory(LONG.nbytes)
    whole = write_video(tmp_path / "a.mkv", wandering(61, 96, 128))
    assert look_through(whole, memory)[1] is None
    damaged = tmp_path / "b.mkv"
    damaged.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(ValueError, match="cut short"):
        look_through(damaged, memory)
    assert memory.take(LONG.nbytes) and not memory.take(1)


def test_folders_are_the_classes_and_splits_and_files_their_own_groups(tmp_path: Path) -> None:
    files = {"train/b/2.MKV": MOVING, "train/b/1.mkv": MOVING, "val/a/1.mkv": MOVING, "train/b/x.txt": b"x"}
    root = folder(tmp_path / "own", files | {"train/b/.hidden.mkv": b"words"})
    train, test = (load_clips("videos", split, root) for split in ("train", "test"))
    assert (train.name, train.split, train.classes, test.classes) == (
        "videos",
        "train",
        ("a", "b"),
        ("a", "b"),
    )
    assert names(train) == ["train/b/1.mkv", "train/b/2.MKV"] and names(test) == ["val/a/1.mkv"]
    assert [clip.label for clip in train.clips] == [1, 1]
    assert train.clips[0].group != train.clips[1].group


def jump(frames: NDArray[np.uint8], *at: int) -> NDArray[np.uint8]:
    """From each frame of ``at`` on the picture is the negative of what it was before."""
    turned = frames.copy()
    for frame in at:
        turned[frame:] = 255 - turned[frame:]
    return turned


def test_cuts_and_flashes_are_found_and_counted_and_no_run_of_frames_spans_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dark = wandering(20) // 3
    files = {"cut.mkv": jump(dark, 12), "flash.mkv": jump(dark, 7, 8), "smooth.mkv": dark}
    root = folder(tmp_path, files)
    cut, flash, smooth = load_clips("videos", root=root).clips
    assert (cut.breaks, flash.breaks, smooth.breaks) == ((12,), (7, 8), ())
    assert cut.starts(6).tolist() == [*range(7), *range(12, 15)] and len(smooth.starts(6)) == 15
    assert flash.starts(6).tolist() == [0, 1, *range(8, 15)] and flash.starts(1).tolist() == list(range(20))
    assert flash.starts(13).tolist() == [] == flash.starts(21).tolist()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and record.getMessage() == (
        f"ebgan: no patch spans the cuts, flashes and gaps in time of 2 of 3 videos of {root}: "
        "'cut.mkv' (1, the first at frame 12), 'flash.mkv' (2, the first at frame 7)"
    )


@pytest.mark.parametrize(
    ("times", "breaks"),
    [
        ([0, 4, 8, 12, 16, 28, 32, 36], (5,)),  # two frames were dropped
        ([0, 3, 7, 10, 13, 17, 20, 23], ()),  # 30 a second, in whole 1/100
        ([0, 4, 8, 12, 36, 60, 84, 108, 132], (4,)),  # 25 a second, then 4
        ([0, 4, 8, 12, 14, 16, 18, 24, 30, 36], (4, 7)),  # 25 a second, 50, then 16
        ([0, 4, 8, 20, 24, 36, 40, 44], (3, 5)),  # two gaps, one frame between them
        ([0, 400, 800, 1200, 1600, 2000], ()),  # slow but even
    ],
)
def test_where_the_frame_rate_changes_the_frames_do_not_go_on(
    times: list[int], breaks: tuple[int, ...], tmp_path: Path
) -> None:
    path = write_video(tmp_path / "own" / "a.mkv", wandering(len(times)), times=times)
    (clip,) = load_clips("videos", root=path.parent).clips
    assert clip.breaks == breaks and clip.length == len(times)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, str]]:
    """Files that are no videos to learn from, and a part of what is said of each."""
    folder = tmp_path_factory.mktemp("whole")
    matroska = write_video(folder / "a.mkv", LONG).read_bytes()
    mp4 = write_video(folder / "a.mp4", LONG, codec="libx264", pixels="yuv420p").read_bytes()
    avi = write_video(folder / "a.avi", LONG, codec="mjpeg", pixels="yuvj420p").read_bytes()
    return {
        "cut.mkv": (matroska[: len(matroska) // 2], "cut short: 1.2 of 2.4 seconds are there"),
        "cut.avi": (avi[: len(avi) // 2], ""),
        "cut.mp4": (mp4[: len(mp4) // 2], "Invalid data found"),
        "empty.mkv": (b"", "Invalid data found"),
        "flipped.mp4": (mp4[:5000] + bytes(200) + mp4[5200:], "is damaged"),
        "still.mkv": (np.repeat(LONG[:1], 9, axis=0), "nothing moves in its 9 frames"),
        "single.mkv": (LONG[:1], "a single frame"),
        "words.avi": (b"words" * 100, "Invalid data found"),
    }


def test_a_broken_or_still_file_is_skipped_and_the_warning_says_why(
    broken: dict[str, tuple[Any, str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, (content, why) in broken.items():
        caplog.clear()
        root = folder(tmp_path / name.replace(".", "-"), {f"a/{name}": content, "b/good.mkv": MOVING})
        clips = load_clips("videos", root=root)
        assert names(clips) == ["b/good.mkv"] and clips.clips[0].label == 1
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("ebgan.data.videos", logging.WARNING)
        start = f"ebgan: skipped 1 of 2 videos of {root}: 'a/{name}' ("
        line = record.getMessage()
        assert line.startswith(start) and why in line and len(line) > len(start) + 5 and "\n" not in line


def test_an_avi_without_its_index_is_cut_short_as_its_header_says(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", LONG, codec="msrle", pixels="pal8")
    assert len(read_video(path)) == 60
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"cut short: 1\.\d of 2\.4 seconds"):
        read_video(path)


def test_files_that_announce_no_duration_are_counted_and_read_as_far_as_they_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "own").mkdir()
    path = write_video(tmp_path / "a.ts", LONG, codec="mpeg2video", pixels="yuv420p")
    (tmp_path / "own" / "stream.mpg").write_bytes(path.read_bytes()[: path.stat().st_size // 376 * 188])
    write_video(tmp_path / "own" / "whole.mkv", LONG)
    clips = load_clips("videos", root=tmp_path / "own").clips
    assert 5 < clips[0].length < 50 and clips[1].length == 60
    assert caplog.messages == [
        f"ebgan: 1 of 2 videos of {tmp_path / 'own'} announce no duration, so that one cut short is taken as "
        "it is: 'stream.mpg'"
    ]


def test_frames_of_a_size_that_no_film_has_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ebgan.data.video_file._PIXELS", 48 * 64 - 1)
    with raises("frames are 64x48, allowed are 3071 pixels; scale it down"):
        read_video(write_video(tmp_path / "a.mkv", MOVING))


def test_nothing_usable_is_an_error_that_names_the_first_files(tmp_path: Path) -> None:
    root = folder(tmp_path, {f"{number}.avi": b"words" for number in range(5)})
    with raises(f"{root} holds no usable video, 5 files looked at: '0.avi' (Invalid data found") as caught:
        load_clips("videos", root=root)
    assert str(caught.value).endswith(" and 2 more") and "\n" not in str(caught.value)


def test_read_video_names_the_file_and_what_is_wrong_with_it(
    broken: dict[str, tuple[Any, str]], tmp_path: Path
) -> None:
    root = folder(tmp_path, {"cut.mkv": broken["cut.mkv"][0], "words.avi": b"words" * 100})
    with raises(f"cannot read {root / 'cut.mkv'} as a video: cut short: 1.2 of 2.4 seconds are there"):
        read_video(root / "cut.mkv")
    with raises(f"cannot read {root / 'words.avi'} as a video: Invalid data found"):
        read_video(root / "words.avi")
    with raises(f"cannot read {root / 'nowhere.avi'} as a video: No such file or directory"):
        read_video(root / "nowhere.avi")


def test_without_pyav_the_line_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.mkv", MOVING)
    monkeypatch.setitem(sys.modules, "av", None)
    for attempt in (lambda: read_video(path), lambda: load_clips("videos", root=tmp_path)):
        with raises("package 'av' is missing: pip install 'ebgan-kernels[train]'", UserError):
            attempt()


def test_files_that_are_no_videos_are_counted_by_their_suffix(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_video(tmp_path / "a.mkv", MOVING)
    for name in ("b.gif", "c.GIF", "notes"):
        (tmp_path / name).write_bytes(b"words")
    load_clips("videos", root=tmp_path)
    (line,) = caplog.messages
    assert line.startswith(f"ebgan: skipped 3 files (2 .gif, 1 without a suffix) of {tmp_path}, none of them")


def test_a_root_must_be_given_and_hold_videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EBGAN_DATA", str(tmp_path))
    with raises("'videos' needs a root of its own, a folder of video files: give --data-root (root=)"):
        load_clips("videos")
    with raises(f"{tmp_path} holds no videos: none of its 0 files is .avi, "):
        load_clips("videos", root=tmp_path)
    path = write_video(tmp_path / "a.mkv", MOVING)
    with raises(f"{path} is a file; give the folder that the videos lie in"):
        load_clips("videos", root=path)
    with raises("has no test split: load 'train', or sort the videos into folders 'train' and 'test'"):
        load_clips("videos", "test", tmp_path)


def test_unknown_names_splits_and_options_are_refused(tmp_path: Path) -> None:
    with raises("unknown set of clips 'ufc101'; known are moving-digits, ucf101, videos"):
        load_clips("ufc101")
    with raises("unknown split 'val'"):
        load_clips("moving-digits", "val")  # type: ignore[arg-type]
    with raises("bounce: data set 'videos' has no use for it; leave it out", UserError):
        load_clips("videos", root=tmp_path, bounce="random")
    with raises("fold: got 4, allowed are 1, 2, 3", UserError):
        load_clips("ucf101", root=tmp_path, fold=4)
    with raises("memory: got -1", UserError):
        load_clips("videos", root=tmp_path, memory=-1)

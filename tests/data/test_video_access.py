"""Any run of frames of a file is what a decode from the beginning gives, whatever container and codec."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ebgan.data import DataError, open_video, read_video
from ebgan.data.video_file import VideoIndex
from support.video_files import wandering, write_video

GROUPS = {"g": "12"}
B_FRAMES = {"g": "12", "bf": "2"}
OPEN = "keyint=12:min-keyint=12:bframes=3:open-gop=1"

# Containers whose seek is exact, early, late or refused, and codecs whose key frames do or do not suffice.
KINDS = {
    "h264-b-frames.mp4": ("libx264", "yuv420p", B_FRAMES),
    "h264-b-frames.flv": ("libx264", "yuv420p", B_FRAMES),
    "h264-open-groups.mkv": ("libx264", "yuv420p", {"x264-params": OPEN}),
    "h264-open-groups.ts": ("libx264", "yuv420p", {"x264-params": OPEN}),
    "h264-without-key-frames.mkv": (
        "libx264",
        "yuv420p",
        {"x264-params": "intra-refresh=1:keyint=12:bframes=0"},
    ),
    "h264-without-container.264": ("libx264", "yuv420p", B_FRAMES),
    "hevc-open-groups.mp4": ("libx265", "yuv420p", {"x265-params": f"{OPEN}:log-level=none"}),
    "hevc-open-groups.ts": ("libx265", "yuv420p", {"x265-params": f"{OPEN}:log-level=none"}),
    "mpeg1.mpg": ("mpeg1video", "yuv420p", B_FRAMES),
    "mpeg1.ts": ("mpeg1video", "yuv420p", B_FRAMES),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", B_FRAMES),
    "mpeg2.vob": ("mpeg2video", "yuv420p", B_FRAMES),
    "mpeg2.ts": ("mpeg2video", "yuv420p", B_FRAMES),
    "mpeg2.m2v": ("mpeg2video", "yuv420p", B_FRAMES),
    "mpeg2.mxf": ("mpeg2video", "yuv422p", B_FRAMES),
    "mpeg4-b-frames.avi": ("mpeg4", "yuv420p", B_FRAMES),
    "mpeg4-b-frames.mp4": ("mpeg4", "yuv420p", B_FRAMES),
    "sorenson.flv": ("flv1", "yuv420p", GROUPS),
    "palette.avi": ("rawvideo", "pal8", {}),
    "palette-runs.avi": ("msrle", "pal8", {}),
    "vp8.webm": ("libvpx", "yuv420p", {**GROUPS, "lag-in-frames": "16", "auto-alt-ref": "1"}),
    "vp9.webm": ("libvpx-vp9", "yuv420p", {**GROUPS, "lag-in-frames": "16", "auto-alt-ref": "1"}),
    "av1.mkv": ("libsvtav1", "yuv420p", {**GROUPS, "preset": "12"}),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}),
    "animation.gif": ("gif", "rgb8", {}),
    "windows-media.wmv": ("wmv2", "yuv420p", GROUPS),
    "real.rm": ("rv20", "yuv420p", GROUPS),
    "lossless.nut": ("ffv1", "yuv420p", GROUPS),
}


@pytest.mark.parametrize("name", KINDS)
def test_every_run_of_frames_equals_the_same_frames_of_the_whole(name: str, tmp_path: Path) -> None:
    codec, pixels, options = KINDS[name]
    path = write_video(tmp_path / name, wandering(40), codec=codec, pixels=pixels, options=options)
    whole, index = read_video(path), open_video(path)
    assert len(whole) == 40 == index.length
    for start in range(39):
        np.testing.assert_array_equal(index.read(start, start + 2), whole[start : start + 2])
    np.testing.assert_array_equal(index.read(5, 40), whole[5:])


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    return write_video(tmp_path / "a.mp4", wandering(40), codec="mpeg4", pixels="yuv420p", options=GROUPS)


def test_a_file_that_can_be_entered_is_not_decoded_from_the_beginning(groups: Path) -> None:
    index = open_video(groups)
    assert index._decoded(30, 32, int(index.times[30])) is not None


def test_another_file_in_its_place_is_refused(groups: Path) -> None:
    index = open_video(groups)
    write_video(groups, wandering(40, seed=1), codec="mpeg4", pixels="yuv420p", options=GROUPS)
    with pytest.raises(DataError, match="frames 30 to 31 are not those of the first look"):
        index.read(30, 32)
    write_video(groups, wandering(20), codec="mpeg4", pixels="yuv420p", options=GROUPS)
    with pytest.raises(DataError, match="frames 30 to 31 are not"):
        index.read(30, 32)


def test_a_file_that_is_gone_or_no_video_any_more_is_named(groups: Path) -> None:
    index = open_video(groups)
    groups.write_bytes(b"words" * 100)
    with pytest.raises(DataError, match=r"cannot read .*a\.mp4 as a video: Invalid data found"):
        index.read(30, 32)
    groups.unlink()
    with pytest.raises(DataError, match=r"cannot read .*a\.mp4 as a video: No such file"):
        index.read(0, 2)


def test_frames_without_times_or_with_times_that_lead_astray_are_found(groups: Path) -> None:
    whole, index = read_video(groups), open_video(groups)
    astray: list[VideoIndex] = [
        replace(index, times=np.empty(0, np.int64)),
        replace(index, times=index.times[::-1]),
    ]
    astray += [replace(index, times=index.times + offset) for offset in (-512, 100, 512, 1 << 40)]
    for wrong in astray:
        for start in (0, 11, 12, 13, 38):
            np.testing.assert_array_equal(wrong.read(start, start + 2), whole[start : start + 2])

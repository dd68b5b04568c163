"""``videos``: the user's own video files in a folder, whose folders are the classes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ebgan.data.arrangement import arranged
from ebgan.data.clip_registry import ClipOptions, ClipSource
from ebgan.data.clip_set import Clip, ClipSet, Frames
from ebgan.data.errors import DataError
from ebgan.data.listing import listed
from ebgan.data.registry import Root, Split
from ebgan.data.skipped import each_file, either, first_few, of_kind
from ebgan.data.video_file import STILL, FrameMemory, VideoIndex, look_through

SUFFIXES = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ogv", ".webm", ".wmv")

_log = logging.getLogger(__name__)


def load_videos(split: Split, root: Root, options: ClipOptions) -> ClipSet:
    """Look through every video file below the folder ``root``, in the order of the sorted paths.

    The folders that a file lies in tell its class and split (:func:`ebgan.data.arrangement.arranged`); each
    file is a group of its own. :func:`read_clips` says what becomes of the files; a warning counts those that
    are no videos by their names.

    Raises:
        DataError: no root, a root that cannot be read, no usable video, or a split that is not there.
    """
    if root is None:
        raise DataError(
            "data set 'videos' needs a root of its own, a folder of video files: give --data-root (root=); "
            "EBGAN_DATA, the folder of all sets, is not taken for it"
        )
    path = Path(root)
    videos, others = video_files(path)
    if others:
        _log.warning("ebgan: skipped %s of %s, none of them %s", others, path, either(SUFFIXES))
    files, labels, classes = arranged(path, videos, split, "videos")
    return read_clips("videos", split, path, files, labels, classes, files, options.memory)


def _has_test(root: Root, options: ClipOptions) -> bool:
    path = Path(root or "")
    try:
        arranged(path, video_files(path)[0], "test", "videos")
    except DataError:
        return False
    return True


def video_files(root: Path) -> tuple[list[str], str]:
    """The sorted paths of the videos below the folder ``root``, by their suffix, and the others in words.

    Raises:
        DataError: there is none, or ``root`` is not a folder or cannot be read.
    """
    if root.is_file():
        raise DataError(f"{root} is a file; give the folder that the videos lie in")
    with listed(root) as (names, _):
        files, others = of_kind(names, SUFFIXES)
        if not files:
            raise DataError(
                f"{root} holds no videos: none of its {others or '0 files'} is {either(SUFFIXES)}"
            )
    return files, others


def read_clips(
    name: str,
    split: Split,
    root: Path,
    files: Sequence[str],
    labels: NDArray[np.int64],
    classes: tuple[str, ...],
    groups: Sequence[str],
    memory: int,
) -> ClipSet:
    """The clips of ``files``, paths below ``root``, as far as they are whole videos in which anything moves.

    Every file is decoded once, to find its length and its breaks (:class:`ebgan.data.video_file.VideoIndex`);
    FFmpeg makes RGB of whatever it holds, grey repeated, turned upright, pixels taken as square, times let be
    apart from the breaks. Frames stay in memory, 3 bytes a pixel, until ``memory`` bytes are full; files that
    find no room are decoded again for every patch, from the last key frame on where that gives the same
    frames. Which ones these are may
    differ from run to run, their frames do not. While a file is put into memory it lies there twice.

    A file that is not a video, damaged, cut short or still is skipped: one warning of the logger
    ``ebgan.data.videos`` counts them and names the first; another counts the breaks, which no patch spans, a
    third the files that announce no duration, of which nobody can tell whether they are whole.
    """
    clips: list[Clip] = []
    skipped: list[str] = []
    broken: list[str] = []
    open_ended: list[str] = []
    room = FrameMemory(memory)

    def look(file: str) -> tuple[VideoIndex, Frames | None]:
        return look_through(root / file, room)

    with closing(each_file(files, look, title=name, unit="video")) as results:
        for file, label, group, result in zip(files, labels, groups, results, strict=True):
            if isinstance(result, str):
                skipped.append(f"{file!r} ({result})")
                continue
            index, frames = result
            if index.motion < STILL:
                what = f"nothing moves in its {index.length} frames" if index.length > 1 else "a single frame"
                skipped.append(f"{file!r} ({what})")
                continue
            if len(index.breaks):
                broken.append(f"{file!r} ({len(index.breaks)}, the first at frame {index.breaks[0]})")
            if not index.announced:
                open_ended.append(repr(file))
            clips.append(_clip(file, int(label), group, index, frames))
    if not clips:
        raise DataError(f"{root} holds no usable video, {len(files)} files looked at: {first_few(skipped)}")
    if skipped:
        count = len(skipped), len(files)
        _log.warning("ebgan: skipped %d of %d videos of %s: %s", *count, root, first_few(skipped))
    if broken:
        _log.warning(
            "ebgan: no patch spans the cuts, flashes and gaps in time of %d of %d videos of %s: %s",
            *(len(broken), len(files), root, first_few(broken)),
        )
    if open_ended:
        _log.warning(
            "ebgan: %d of %d videos of %s announce no duration, so that one cut short is taken as it is: %s",
            *(len(open_ended), len(files), root, first_few(open_ended)),
        )
    return ClipSet(tuple(clips), name, split, classes)


def _clip(file: str, label: int, group: str, index: VideoIndex, frames: Frames | None) -> Clip:
    if frames is not None:
        return Clip.of(frames, file, label=label, group=group, breaks=index.breaks)
    shape = index.length, index.height, index.width
    return Clip(file, label, group, *shape, index.read, index.breaks, in_memory=False)


SOURCE = ClipSource("videos", load_videos, "your own video files, in a folder", "own", has_test=_has_test)

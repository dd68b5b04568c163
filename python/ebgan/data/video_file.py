"""One video file: its frames as RGB bytes, how evenly they follow each other, and whether it is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ebgan.data.clip_set import Frames
from ebgan.data.errors import DataError, reason
from ebgan.errors import UserError, require

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

CUT = 30.0  # mean change of grey from one frame to the next, of 255, beyond which the scene is another
STILL = 0.05  # the largest such change of a video in which nothing moves; coding alone may cause that much
_GREY_SIZE = (160, 120)
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_WHOLE = 0.9  # share of the seconds announced; an edit list hides some, so a few frames may always lack


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """The frames of a video file as one pass over it found them, without their pixels.

    Attributes:
        path: the file.
        length: frames.
        height, width: pixels, upright.
        times: when each frame is shown, in the file's own unit, increasing; empty where it does not say.
        breaks: numbers of the frames that do not go on from the one before: the mean grey changes by more
            than ``CUT`` at 160x120 pixels, or the time to the one before differs from the median by half of
            that or more.
        rate: frames a second, on average; None where the file does not say.
        motion: largest mean change of grey from one frame to the next.
    """

    path: Path
    length: int
    height: int
    width: int
    times: NDArray[np.int64]
    breaks: tuple[int, ...]
    rate: Fraction | None
    motion: float

    def read(self, start: int, stop: int) -> Frames:
        """Frames ``start`` to ``stop``, uint8 ``(n, H, W, 3)``, decoded from the key frame before them."""
        out = np.empty((stop - start, self.height, self.width, 3), np.uint8)
        if start == stop:
            return out
        with _opened(self.path) as (container, stream):
            number = 0
            if len(self.times):
                container.seek(int(self.times[start]), stream=stream)
            for frame in container.decode(stream):
                if len(self.times) and frame.pts is not None:
                    number = int(np.searchsorted(self.times, frame.pts))
                if start <= number < stop:
                    out[number - start] = _rgb(frame)
                number += 1
                if number >= stop:
                    return out
        raise DataError(f"{self.path}: the file was changed since it was looked through; start again")


class FrameMemory:
    """Bytes that frames may take, shared by the threads that decode."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lock = Lock()

    def take(self, count: int) -> bool:
        """Take ``count`` bytes; False where fewer are left. A negative ``count`` gives bytes back."""
        with self._lock:
            if count > self._left:
                return False
            self._left -= count
            return True


def look_through(path: Path, memory: FrameMemory) -> tuple[VideoIndex, Frames | None]:
    """Look through the file ``path`` once, and return its frames where ``memory`` has room for all of them.

    It raises ValueError, OSError or what else PyAV raises where the file is not a video, is damaged, or is
    cut short: fewer than 9 in 10 of the seconds that it announces are there.
    """
    frames: list[Frames] | None = []
    times: list[int | None] = []
    changes: list[float] = []
    shape: tuple[int, ...] = ()
    before = None
    with _opened(path) as (container, stream):
        rate = stream.average_rate or None
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise ValueError(f"frame {len(times)} is damaged")
                rgb = _rgb(frame)
                shape = shape or rgb.shape
                if rgb.shape != shape:
                    raise ValueError(f"frames change their size at number {len(times)}")
                grey = (
                    frame.to_ndarray(
                        width=_GREY_SIZE[0], height=_GREY_SIZE[1], format="rgb24", interpolation="AREA"
                    )
                    @ _GREY
                )
                if before is not None:
                    changes.append(float(np.abs(grey - before).mean()))
                before = grey
                times.append(frame.pts)
                if frames is not None and memory.take(rgb.nbytes):
                    frames.append(rgb)
                elif frames is not None:
                    memory.take(-rgb.nbytes * len(frames))
                    frames = None
            if not shape:
                raise ValueError("it holds no frame")
            _check_whole(container, stream, times[-1])
        except BaseException:
            if frames:
                memory.take(-sum(frame.nbytes for frame in frames))
            raise
    known = np.array([-1 if time is None else time for time in times], np.int64)
    intervals = np.diff(known)
    if None in times or (intervals <= 0).any():
        known, intervals = np.empty(0, np.int64), np.zeros(len(changes), np.int64)
    median = np.median(intervals) if len(intervals) else 0
    breaks = (np.array(changes) > CUT) | (2 * np.abs(intervals - median) > median)
    height, width, _ = shape
    index = VideoIndex(
        path=path,
        length=len(times),
        height=height,
        width=width,
        times=known,
        rate=rate,
        breaks=tuple((np.flatnonzero(breaks) + 1).tolist()),
        motion=max(changes, default=0.0),
    )
    return index, None if frames is None else np.stack(frames)


def read_video(path: str | os.PathLike[str]) -> Frames:
    """All frames of a video file, upright, uint8 ``(T, H, W, 3)``, in order and whatever their times.

    Raises:
        DataError: the file is missing, not a video, damaged or cut short.
    """
    _, frames = _look_through(Path(path), FrameMemory(1 << 62))
    assert frames is not None
    return frames


def open_video(path: str | os.PathLike[str]) -> VideoIndex:
    """Look through a video file once, keeping no pixels; ``read`` of the result decodes frames anew.

    Raises:
        DataError: the file is missing, not a video, damaged or cut short.
    """
    return _look_through(Path(path), FrameMemory(0))[0]


def _look_through(path: Path, memory: FrameMemory) -> tuple[VideoIndex, Frames | None]:
    try:
        return look_through(path, memory)
    except (MemoryError, UserError):
        raise
    except Exception as error:  # the file's fault, by whatever name FFmpeg calls it
        raise DataError(f"cannot read {path} as a video: {reason(error)}") from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    with require("av").open(str(path)) as container:
        if not container.streams.video:
            raise ValueError("there is no video in it")
        stream = container.streams.video[0]
        stream.thread_type = "NONE"  # files are shared out among threads, not the frames of one
        yield container, stream


def _rgb(frame: VideoFrame) -> Frames:
    pixels = frame.to_ndarray(format="rgb24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))


def _check_whole(container: InputContainer, stream: VideoStream, last: int | None) -> None:
    # The number of frames announced says less: it may count frames that were dropped and are not in the file.
    # Matroska gives the duration of the whole alone, which with sound may be that of the sound.
    if last is None or stream.time_base is None or not stream.average_rate:
        return
    seconds = float((last - (stream.start_time or 0)) * stream.time_base + 1 / stream.average_rate)
    announced = 0.0
    if stream.duration:
        announced = float(stream.duration * stream.time_base)
    elif container.duration and len(container.streams) == 1:
        announced = container.duration / 1e6
    if seconds < _WHOLE * announced:
        raise ValueError(f"cut short: {seconds:.1f} of {announced:.1f} seconds are there")

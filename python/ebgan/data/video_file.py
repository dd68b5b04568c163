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
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from ebgan.data.clip_set import Frames
from ebgan.data.errors import DataError, reason
from ebgan.data.upright import upright
from ebgan.errors import UserError, require

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

CUT = 30.0  # mean change of grey from one frame to the next, of 255, beyond which the scene is another
STILL = 0.05  # the largest such change of a video in which nothing moves; coding alone may cause that much
_UNEVEN = 1.5  # factor from one interval between frames to the next beyond which motion is faster or slower
_STEP_BACK = 16  # frames, about a group of pictures
_PIXELS = 1 << 25  # as 8192x4096; a small damaged file may announce any size
_GREY_SIZE = (160, 120)
_GREY = np.array([0.299, 0.587, 0.114], np.float32)
_ESTIMATED = ("dv", "gif", "mpeg", "mpegts")  # FFmpeg takes the duration of these from what is there
_WHOLE = 0.9  # share of the seconds announced; an edit list hides some, so a few frames may always lack


@dataclass(frozen=True, eq=False)
class VideoIndex:
    """The frames of a video file as one pass over it found them, without their pixels.

    Attributes:
        path: the file.
        length: frames.
        height, width: pixels, upright.
        times: when each frame is shown, in the file's own unit, increasing; empty where it does not say.
        checksums: CRC-32 of the RGB bytes of each frame.
        breaks: numbers of the frames that do not go on from the one before: the mean grey changes by more
            than ``CUT`` at 160x120 pixels, or the time to the one before is longer than the mean of those
            since the last break by a factor of more than 1.5, or shorter. Where the rate changes for good,
            there is one break.
        rate: frames a second, on average; None where the file does not say.
        motion: largest mean change of grey from one frame to the next.
        announced: whether the file says how long it is, so that one cut short would have been refused.
    """

    path: Path
    length: int
    height: int
    width: int
    times: NDArray[np.int64]
    checksums: NDArray[np.uint32]
    breaks: tuple[int, ...]
    rate: Fraction | None
    motion: float
    announced: bool

    def read(self, start: int, stop: int) -> Frames:
        """Frames ``start`` to ``stop``, uint8 ``(n, H, W, 3)``: the bytes that decoding the whole file gives.

        It decodes from the key frame before them where the file's index leads there. What comes is compared
        with the checksums of the first pass, since in many files (open groups of pictures, program and
        transport streams, palettes sent once) a jump lands behind its target, or on frames without what
        they build on; then it begins ever earlier, in the end at the beginning.

        Raises:
            DataError: a decode from the beginning gives other frames than the first pass, or none.
        """
        if start == stop:
            return np.empty((0, self.height, self.width, 3), np.uint8)
        for entry in self._entries(start):
            frames = self._decoded(start, stop, entry)
            if frames is not None:
                return frames
        raise DataError(
            f"{self.path}: frames {start} to {stop - 1} are not those of the first look through the file, "
            "which was changed: start again"
        )

    def _entries(self, start: int) -> Iterator[int | None]:
        """The times to begin at, ever earlier, for the frames from ``start`` on; None for the beginning."""
        if len(self.times):
            back = 0
            while back < start:
                yield int(self.times[start - back])
                back = max(_STEP_BACK, 4 * back)
        yield None

    def _decoded(self, start: int, stop: int, entry: int | None) -> Frames | None:
        """The frames, decoded from the time ``entry`` on; None where others come in their place."""
        out = np.empty((stop - start, self.height, self.width, 3), np.uint8)
        wanted = start
        try:
            with _opened(self.path) as (container, stream):
                if entry is not None:
                    container.seek(entry, stream=stream)
                for count, frame in enumerate(container.decode(stream)):
                    number = count if entry is None else self._number(frame)
                    if number > wanted:
                        return None
                    if number == wanted:
                        rgb = upright(frame)
                        if crc32(rgb.data) != self.checksums[wanted]:
                            return None
                        out[wanted - start] = rgb
                        wanted += 1
                        if wanted == stop:
                            return out
        except (require("av").FFmpegError, ValueError) as error:  # the file cannot be entered there
            if entry is None:
                raise DataError(f"cannot read {self.path} as a video: {reason(error)}") from error
        return None

    def _number(self, frame: VideoFrame) -> int:
        """The number of a frame by its time; -1 where no frame has this time."""
        if frame.pts is None:
            return -1
        number = int(np.searchsorted(self.times, frame.pts))
        return number if number < self.length and self.times[number] == frame.pts else -1


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
    cut short: fewer than 9 in 10 of the seconds that it announces are there. Program and transport streams,
    GIF and DV announce none; of these all that is there counts, unless the cut goes through a frame.
    """
    frames: list[Frames] | None = []
    times: list[int | None] = []
    checksums: list[int] = []
    changes: list[float] = []
    shape: tuple[int, ...] = ()
    before = None
    with _opened(path) as (container, stream):
        rate = stream.average_rate or None
        rounding = 1 if rate and stream.time_base and rate * stream.time_base < 1 else 0
        try:
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise ValueError(f"frame {len(times)} is damaged")
                if frame.width * frame.height > _PIXELS:
                    size = f"{frame.width}x{frame.height}"
                    raise ValueError(f"frames are {size}, allowed are {_PIXELS} pixels; scale it down")
                rgb = upright(frame)
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
                checksums.append(crc32(rgb.data))
                if frames is not None and memory.take(rgb.nbytes):
                    frames.append(rgb)
                elif frames is not None:
                    memory.take(-rgb.nbytes * len(frames))
                    frames = None
            if not shape:
                raise ValueError("it holds no frame")
            announced = _check_whole(container, stream, times[-1])
        except BaseException:
            if frames:
                memory.take(-sum(frame.nbytes for frame in frames))
            raise
    known = np.array([-1 if time is None else time for time in times], np.int64)
    if None in times or (np.diff(known) <= 0).any():
        known = np.empty(0, np.int64)
    height, width, _ = shape
    index = VideoIndex(
        path=path,
        length=len(times),
        height=height,
        width=width,
        times=known,
        checksums=np.array(checksums, np.uint32),
        rate=rate,
        breaks=_breaks(changes, known.tolist(), rounding),
        motion=max(changes, default=0.0),
        announced=announced,
    )
    return index, None if frames is None else np.stack(frames)


def _breaks(changes: list[float], times: list[int], rounding: int) -> tuple[int, ...]:
    """Where frames do not go on from the one before; intervals of ``times`` may be off by ``rounding``."""
    breaks = []
    first = 0  # of the frames that go on from each other
    for number, change in enumerate(changes, start=1):
        gap = False
        if times and number > first + 1:
            mean = (times[number - 1] - times[first]) / (number - 1 - first)
            interval = times[number] - times[number - 1]
            gap = interval - rounding > _UNEVEN * mean or _UNEVEN * (interval + rounding) < mean
        if change > CUT or gap:
            breaks.append(number)
            first = number
    return tuple(breaks)


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


def _check_whole(container: InputContainer, stream: VideoStream, last: int | None) -> bool:
    """Raise where too few of the seconds announced are there; False where the file announces none."""
    rate = stream.average_rate
    if last is None or stream.time_base is None or not rate:
        return False
    seconds = float((last - (stream.start_time or 0)) * stream.time_base + 1 / rate)
    # Of an AVI that lost its index FFmpeg gives the duration of what is there, but the number of frames of
    # the header, each of which takes a unit of time. Matroska gives the duration of the whole alone, which
    # with sound may be that of the sound.
    announced = float(max(stream.duration or 0, stream.frames) * stream.time_base)
    if not announced and container.duration and len(container.streams) == 1:
        announced = container.duration / 1e6
    if seconds < _WHOLE * announced:
        raise ValueError(f"cut short: {seconds:.1f} of {announced:.1f} seconds are there")
    return announced > 0 and container.format.name not in _ESTIMATED

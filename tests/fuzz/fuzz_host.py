"""The C++ host module under libFuzzer: it does what its form in NumPy does, to the bit, or refuses as that.

`make fuzz-host` compiles it with the sanitizers and with coverage (coverage.cpp), and runs this; options
behind the folder of inputs are libFuzzer's. The first byte of an input chooses the function. The rest is the
file for `parse_idx`; for the others it says the shapes, the values, and what is wrong with one argument.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris
import numpy as np
from atheris import core_with_libfuzzer
from numpy.typing import NDArray

os.environ["EBGAN_LIBFUZZER"] = core_with_libfuzzer.__file__  # which coverage.cpp asks for when it is loaded
from ebgan import _host as host
from ebgan.host import reference

FAR = [0, 1, -1, 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63)]
Draw = atheris.FuzzedDataProvider
Arguments = dict[str, Any]


def array(draw: Draw, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    """An array of values from the input, over and over where it ends."""
    size = int(np.prod(shape))
    content = draw.ConsumeBytes(min(size, 64)) or b"\0"
    values = np.resize(np.frombuffer(content, np.uint8), size)
    return (values & 1 if dtype is np.bool_ else values).astype(dtype).reshape(shape)


def places(draw: Draw, shape: tuple[int, ...], extent: int) -> NDArray[np.int64]:
    """Offsets near an extent, or anywhere."""
    found = [
        draw.PickValueInList(FAR)
        if draw.ConsumeIntInRange(0, 15) == 0
        else draw.ConsumeIntInRange(-4, extent + 4)
        for _ in range(int(np.prod(shape)))
    ]
    return np.array(found, np.int64).reshape(shape)


def spoiled(draw: Draw, value: Any) -> Any:
    """The argument with another dtype, order, number of axes or length, or one that cannot be written."""
    if isinstance(value, list):
        if not value or draw.ConsumeBool():
            return value[:-1]
        index = draw.ConsumeIntInRange(0, len(value) - 1)
        return [*value[:index], spoiled(draw, value[index]), *value[index + 1 :]]
    if isinstance(value, int):
        return draw.PickValueInList(FAR)
    kind = draw.ConsumeIntInRange(0, 5)
    if kind == 0:
        return value.astype(
            draw.PickValueInList([np.uint8, np.int32, np.int64, np.float32, np.float64, np.bool_])
        )
    if kind == 1:
        return np.asfortranarray(value)
    if kind == 2:
        return value[..., None]
    if kind == 3:
        return value[1:]
    if kind == 4:
        return value[..., ::2]
    value.flags.writeable = False
    return value


def images(draw: Draw) -> Arguments:
    count, channels, height, width, batch, h, w = (draw.ConsumeIntInRange(0, 6) for _ in range(7))
    return {
        "images": array(draw, np.uint8, (count, channels, height, width)),
        "indices": places(draw, (batch,), count - 5 if count > 5 else 0),
        "top": places(draw, (batch,), height),
        "left": places(draw, (batch,), width),
        "flip": array(draw, np.bool_, (batch,)),
        "out": np.full((batch, channels, h, w), np.nan, np.float32),
        "threads": draw.ConsumeIntInRange(0, 3),
    }


def clips(draw: Draw) -> Arguments:
    batch, frames, tries = (draw.ConsumeIntInRange(0, 3) for _ in range(3))
    scales, finest = draw.ConsumeIntInRange(1, 5), draw.PickValueInList([1, 2, 3, 4, 8, 16, 12])
    sizes = [finest >> (scales - 1 - scale) for scale in range(scales)]
    windows = [
        array(draw, np.uint8, (frames, draw.ConsumeIntInRange(0, 20), draw.ConsumeIntInRange(0, 20), 3))
        for _ in range(batch)
    ]
    return {
        "windows": windows,
        "tops": places(draw, (batch, tries), 0),
        "lefts": places(draw, (batch, tries), 0),
        "min_squared_change": draw.ConsumeIntInRange(-1, 1 << draw.ConsumeIntInRange(0, 24)),
        "out": [np.full((batch, frames, 3, size, size), np.nan, np.float32) for size in sizes],
        "threads": draw.ConsumeIntInRange(0, 3),
    }


def picture(draw: Draw) -> Arguments:
    height, width, h, w, column_taps, row_taps = (draw.ConsumeIntInRange(0, 8) for _ in range(6))
    weight = draw.PickValueInList([1, 1 << 14, 1 << 22, (1 << 31) - 1, -(1 << 31)])
    arguments: Arguments = {"pixels": array(draw, np.uint8, (height, width, 3))}
    for axis, size, taps, extent in (("column", w, column_taps, width), ("row", h, row_taps, height)):
        arguments[f"{axis}_starts"] = places(draw, (size,), max(extent - taps - 4, 0))
        near = array(draw, np.int64, (size, taps)) - 128
        arguments[f"{axis}_weights"] = np.clip(near * weight, -(1 << 31), (1 << 31) - 1).astype(np.int32)
    return arguments | {"out": np.zeros((3, h, w), np.uint8)}


BATCHES = {"image_batch": images, "clip_batch": clips, "resample": picture}


def came(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What the function returned, or how it refused."""
    try:
        return function(*arguments, **named)
    except (ValueError, TypeError, IndexError) as error:
        return type(error), str(error).splitlines()[0]


def copied(value: Any) -> Any:
    if isinstance(value, list):
        return [copied(each) for each in value]
    if isinstance(value, np.ndarray):
        copy = value.copy(order="K") if value.flags.c_contiguous else value
        copy.flags.writeable = value.flags.writeable
        return copy
    return value


def check(data: bytes) -> None:
    """One input of the fuzzer."""
    if not data:
        return
    if data[0] % 4 == 0:
        ours, theirs = came(host.parse_idx, data[1:]), came(reference.parse_idx, data[1:])
        if isinstance(theirs, np.ndarray):
            assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
            assert ours.tobytes() == theirs.tobytes()
        else:
            assert ours == theirs, (ours, theirs)
        return
    draw = atheris.FuzzedDataProvider(data[1:])
    name, make = list(BATCHES.items())[data[0] % 4 - 1]
    arguments = make(draw)
    if draw.ConsumeIntInRange(0, 3) == 0:
        wrong = draw.PickValueInList(list(arguments))
        arguments[wrong] = spoiled(draw, arguments[wrong])
    other = copied(arguments)
    ours, theirs = came(getattr(host, name), **arguments), came(getattr(reference, name), **other)
    assert ours == theirs, (name, ours, theirs)
    if theirs is None:
        found, expected = (
            each["out"] if name == "clip_batch" else [each["out"]] for each in (arguments, other)
        )
        assert all(map(np.array_equal, found, expected)), name


def seeds(folder: Path) -> None:
    """Inputs to begin with: a file of every dtype, batches and pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for code, size in ((8, 1), (9, 1), (11, 2), (12, 4), (13, 4), (14, 8)):
        file = struct.pack(">BBBB2I", 0, 0, code, 2, 3, 2) + bytes(range(6 * size))
        (folder / f"idx-{code}").write_bytes(b"\0" + file)
    for kind in range(1, 1 + len(BATCHES)):
        for number in range(8):
            noise = np.random.default_rng(number).integers(0, 256, 400, np.uint8).tobytes()
            (folder / f"batch-{kind}-{number}").write_bytes(bytes([kind]) + noise)


if __name__ == "__main__":
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Buffer

def parse_idx(data: Buffer) -> NDArray[Any]: ...
def image_batch(
    *,
    images: NDArray[np.uint8],
    indices: NDArray[np.int64],
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    flip: NDArray[np.bool_],
    out: NDArray[np.float32],
    threads: int,
) -> None: ...
def resample(
    *,
    pixels: NDArray[np.uint8],
    column_starts: NDArray[np.int64],
    column_weights: NDArray[np.int32],
    row_starts: NDArray[np.int64],
    row_weights: NDArray[np.int32],
    out: NDArray[np.uint8],
) -> None: ...
def clip_batch(
    *,
    windows: Sequence[NDArray[np.uint8]],
    tops: NDArray[np.int64],
    lefts: NDArray[np.int64],
    min_squared_change: int,
    out: Sequence[NDArray[np.float32]],
    threads: int,
) -> None: ...

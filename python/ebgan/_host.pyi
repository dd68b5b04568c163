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

"""The same images under other strides: what slicing, transposing and memory formats do to a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def _stored_with_last(tensor: Tensor, dimension: int) -> Tensor:
    return tensor.movedim(dimension, -1).contiguous().movedim(-1, dimension)


def _every_second_sample(tensor: Tensor) -> Tensor:
    return tensor.repeat_interleave(2, dim=0)[::2]


def _every_second_column(tensor: Tensor) -> Tensor:
    return tensor.repeat_interleave(2, dim=-1)[..., ::2]


def _one_element_into_the_storage(tensor: Tensor) -> Tensor:
    return torch.cat([tensor.new_zeros(1), tensor.flatten()])[1:].view(tensor.shape)


# Those of `DENSE` keep each sample one block of memory: kernels read them where they are.
DENSE: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": Tensor.contiguous,
    "channels_last": lambda x: _stored_with_last(x, 1),
    "transposed": lambda x: x.transpose(1, -1).contiguous().transpose(1, -1),
    "every_second_sample": _every_second_sample,
    "storage_offset": _one_element_into_the_storage,
    "one_sample_expanded": lambda x: x[:1].expand_as(x),
}
LAYOUTS: dict[str, Callable[[Tensor], Tensor]] = {
    **DENSE,
    "every_second_column": _every_second_column,
    "one_column_expanded": lambda x: x[..., :1].expand_as(x),
    "samples_interleaved": lambda x: _stored_with_last(x, 0),
}

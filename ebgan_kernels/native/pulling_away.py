"""Schema and fake kernel of the pulling-away term: see ``ebgan_kernels.native.library`` for the mechanism.

``torch.mm`` computes the two matrix products, the Gram matrix and the gradient; the operator is what lies
between them. Every implementation takes ``gram`` (N, N), contiguous, float32 or float64, N at least 2,
symmetric up to rounding. Row i of the weights is computed from row i of the Gram matrix and its diagonal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ebgan_kernels.native.library import define

SCHEMAS = {
    # Returns the 0-d loss and the weights W (N, N) of its gradient W @ codes, both in gram's dtype; without
    # need_weights W has no elements.
    "pulling_away_weights": "(Tensor gram, bool need_weights) -> (Tensor, Tensor)",
}


def _fake_weights(gram: Tensor, need_weights: bool) -> tuple[Tensor, Tensor]:
    return gram.new_empty(()), gram.new_empty(gram.shape if need_weights else 0)


FAKES: dict[str, Callable[..., Any]] = {"pulling_away_weights": _fake_weights}
define(SCHEMAS, FAKES)

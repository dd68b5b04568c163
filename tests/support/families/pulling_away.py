"""Operators of the family pulling_away with valid arguments, and its modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

import ebgan_kernels as ek
from support.arguments import CODES

OPERATORS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "pulling_away": (ek.pulling_away, {"codes": CODES}),
}
MODULES: dict[type[nn.Module], Callable[[], nn.Module]] = {
    ek.PullingAwayLoss: ek.PullingAwayLoss,
}

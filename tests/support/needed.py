"""The number that says to an operator which gradients are needed: bit i is that of input i."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

Item = TypeVar("Item")


def needed_of(items: Iterable[Item], needed: int) -> list[Item]:
    """Those items, one for each input, whose bit is set."""
    return [item for i, item in enumerate(items) if needed >> i & 1]

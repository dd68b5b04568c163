"""The words of a warning for what was left out: the first few, and how many more."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 3


def first_few(items: Sequence[str]) -> str:
    """The first three items and the number of the rest, on one line."""
    rest = f" and {len(items) - _NAMED} more" if items[_NAMED:] else ""
    return ", ".join(items[:_NAMED]) + rest

"""The error of data that a user can cure."""

from __future__ import annotations

from ebgan.errors import UserError, reason


class DataError(UserError):
    """An error in data; its one line names the data set or file, what is wrong with it, and the remedy."""


__all__ = ["DataError", "reason"]

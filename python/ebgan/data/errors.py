"""The error of data that a user can cure."""

from __future__ import annotations

from ebgan.errors import UserError


def reason(error: Exception) -> str:
    """The reason why a file could not be read, in one line."""
    if words := getattr(error, "strerror", None):  # FFmpeg's errors have it, too, and are not all OSError
        return str(words)
    return " ".join(str(error).split()) or type(error).__name__


class DataError(UserError):
    """An error in data; its one line names the data set or file, what is wrong with it, and the remedy."""

"""What goes wrong with data that a user can put right."""

from __future__ import annotations

from ebgan.errors import UserError


class DataError(UserError):
    """One line that names the data set or file, what is wrong with it, and the remedy."""

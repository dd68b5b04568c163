"""The command `ebgan`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ebgan.errors import UserError, require

FAILURE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, 2 after one line on stderr, or 128 + signal after a stop."""
    try:
        from ebgan_kernels import BackendError
    except ValueError as error:  # EBGAN_KERNELS_BACKEND names no implementation
        return _failed(error)
    try:
        require("tyro")
        from ebgan.cli.parser import parse

        command = parse(arguments)
        from ebgan.training import Interrupted

        try:
            return command.run() or 0
        except Interrupted as stop:
            print(f"ebgan: {stop}", file=sys.stderr)
            return 128 + stop.signal
    except (UserError, BackendError) as error:
        return _failed(error)


def _failed(error: Exception) -> int:
    print(f"ebgan: {error}", file=sys.stderr)
    return FAILURE


__all__ = ["main"]

"""The command `ebgan`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ebgan.errors import UserError, reason, require

FAILURE, STOPPED, BROKEN_PIPE = 2, 130, 141  # the latter two are 128 and the number of the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, 2 after one line on stderr, or 128 + signal after a stop."""
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        print("ebgan: stopped by Ctrl-C", file=sys.stderr)
        return STOPPED
    except BrokenPipeError:  # the reader of the output, such as `head`, has seen enough
        _discard_output()
        return BROKEN_PIPE
    except OSError as error:
        if error.errno is None:  # raised by a library and not by the operating system
            raise
        _discard_output()
        return _failed(f"{error.filename or 'standard output'}: {reason(error)}")


def _run(arguments: Sequence[str] | None) -> int:
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


def _failed(error: object) -> int:
    print(f"ebgan: {error}", file=sys.stderr)
    return FAILURE


def _discard_output() -> None:
    """Send what stdout still holds nowhere: Python would try again at exit, and complain."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # a stdout that is no file holds nothing back
        return
    os.close(nowhere)


__all__ = ["main"]

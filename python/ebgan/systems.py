"""All systems. A new system is a folder of its own that defines `SYSTEM`, and its name in `_FOLDERS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.training import Description, RunFolder

_FOLDERS = (
    "gan",
    "ladder",
    "video",
)

SYSTEMS: tuple[Description[Any, Any], ...] = tuple(
    import_module(f"ebgan.{folder}").SYSTEM for folder in _FOLDERS
)


def system_of(path: StrPath) -> Description[Any, Any]:
    """The system whose run lies in the folder `path`."""
    command = RunFolder(path).command()
    for system in SYSTEMS:
        if command in system.commands:
            return system
    known = ", ".join(f"'ebgan {system.commands[0]}'" for system in SYSTEMS)
    raise UserError(f"{path}: is a run of 'ebgan {command}', which is not known; known are {known}")

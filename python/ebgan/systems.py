"""All systems. A new system is a folder of its own that defines `SYSTEM`, and its name in `_FOLDERS`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch

from ebgan.errors import UserError
from ebgan.files import StrPath
from ebgan.training import Description, RunFolder

_FOLDERS = (
    "gan",
    "ladder",
    "video",
    "disentangle",
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


def trained_generator(path: StrPath, device: torch.device | str = "auto", *, step: int | None = None) -> Any:
    """The generator of images of the run in the folder `path`, of whichever system.

    It is that of the checkpoint of `step`, by default of the newest.

    Raises:
        UserError: the run has no generator, or not that checkpoint whole.
    """
    system = system_of(path)
    if system.image_generator is None:
        can = " or ".join(f"'ebgan {each.commands[0]}'" for each in SYSTEMS if each.image_generator)
        raise UserError(
            f"{path}: is a run of 'ebgan {system.commands[0]}', which draws no images from noise; "
            f"take a run of {can}"
        )
    return system.trained_generator(path, device, step=step)

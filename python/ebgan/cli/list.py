"""The command `ebgan list`."""

from __future__ import annotations

import os
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ebgan.cli.options import DataRoot
from ebgan.cli.page import COLUMNS, rows
from ebgan.data import ClipSource, Source, clip_sources, sources
from ebgan.systems import SYSTEMS
from ebgan.training import Description


@dataclass(frozen=True)
class List:
    """List the systems with their networks and presets, and the data sets with what each needs."""

    data_root: DataRoot = None

    def run(self) -> None:
        root = self.data_root or os.environ.get("EBGAN_DATA")
        print("Systems\n")
        for system in SYSTEMS:
            print(_described(system), end="\n\n")
        print("Data sets of images\n")
        print(rows({source.name: _state(source, root) for source in sources()}, indent=4), end="\n\n")
        print("Data sets of video clips, for 'ebgan train video'\n")
        print(rows({source.name: _state(source, root) for source in clip_sources()}, indent=4))


def _described(system: Description[Any, Any]) -> str:
    head = f"ebgan {system.commands[0]}"
    about = " ".join(system.help.split("\n\n")[0].split())
    presets = ", ".join(system.presets)
    lines = [*_filled(about), *_filled(f"presets: {presets}"), "networks:"]
    return "\n".join([head, textwrap.indent("\n".join(lines), "  "), rows(system.nets, indent=4)])


def _filled(text: str) -> list[str]:
    return textwrap.wrap(text, COLUMNS - 2, subsequent_indent="  ", break_on_hyphens=False)


def _state(source: Source | ClipSource, root: str | Path | None) -> str:
    """What a data set holds, what it needs, and whether that is there."""
    return f"{source.about}; {_needs(source, root)}"


def _needs(source: Source | ClipSource, root: str | Path | None) -> str:
    if source.place == "embedded":
        return "always there"
    if source.place == "own":
        return "name it with --data-root"
    if root is not None and (Path(root) / source.name).is_dir():
        return f"there, in {Path(root) / source.name}"
    where = "no data root is given" if root is None else f"not in {root}"
    if isinstance(source, Source) and source.download is not None:
        return f"{where}; to fetch it: ebgan data download {source.name} --root {root or 'DIR'}"
    return f"{where}; put it into the folder {source.name} of your data root"

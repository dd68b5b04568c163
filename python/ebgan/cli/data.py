"""The command `ebgan data download`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ebgan.cli.options import option
from ebgan.data import download


@dataclass(frozen=True)
class Download:
    """Download a data set and compare its checksums; files that are there and whole are kept."""

    name: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="NAME")]]
    """Data set to download: mnist or fashion-mnist."""
    root: Path
    """Folder that holds the data sets; the files go to a folder NAME in it."""
    base_url: Annotated[
        str | None, option("Address to download from.", "the address of the set's publisher", kind=str)
    ] = None

    def run(self) -> None:
        print(f"{self.name}: {download(self.name, self.root, base_url=self.base_url)}")

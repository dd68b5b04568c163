"""The command `ebgan data download`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from ebgan.data import download


@dataclass(frozen=True)
class Download:
    """Download a data set and compare its checksums; files that are there and whole are kept."""

    name: tyro.conf.Positional[str]
    """Data set to download: mnist or fashion-mnist."""
    root: Path
    """Folder that holds the data sets; the files go to a folder NAME in it."""
    base_url: str | None = None
    """Address to download from instead of the publisher's, for a mirror."""

    def run(self) -> None:
        print(f"{self.name}: {download(self.name, self.root, base_url=self.base_url)}")

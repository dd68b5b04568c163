"""`ebgan data download`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from ebgan.data import download


@dataclass(frozen=True)
class Download:
    """Download a data set, checksums compared; what is there and right is kept."""

    name: tyro.conf.Positional[str]
    """mnist or fashion-mnist."""
    root: Path
    """Folder of the data sets; the set gets a folder of its own name in it."""
    base_url: str | None = None
    """Address to download from instead of the usual one."""

    def run(self) -> None:
        print(f"{self.name}: {download(self.name, self.root, base_url=self.base_url)}")

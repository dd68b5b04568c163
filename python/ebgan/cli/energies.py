"""The command `ebgan energies`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from ebgan.cli.options import option
from ebgan.energies import KINDS, SetName, compare, from_csv, point_set
from ebgan.energies.comparison import REPORT
from ebgan.errors import at_least, require
from ebgan.files import require_writable, writing


@dataclass(frozen=True)
class Energies:
    """Learn energies of points of the plane by the deck's strategies, and draw them side by side.

    An energy should be low on the data and high elsewhere; the learners differ in how they push it up. The
    command prints the AUC of telling points on the data from points off it by their energy. It writes
    pictures of all surfaces and of each, a page to turn them in a browser, the film of EBGAN's training, what
    plays of EBGAN's game come to, and energies.json, in place of earlier ones.
    """

    data: SetName = "spiral"
    """Set of points to learn from."""
    csv: Annotated[
        Path | None,
        option(
            "CSV file of two columns to learn from, in place of --data; it is scaled to lie from -1 to 1."
        ),
    ] = None
    count: int = 1000
    """Number of points of --data to learn from."""
    learners: Annotated[
        str, option(f"Learners, with commas between them: {', '.join(KINDS)}.", "all of them", kind=str)
    ] = ",".join(KINDS)
    seed: int = 0
    """Seed of the points and of the learners."""
    out: Annotated[Path | None, option("Folder to write to.", "runs/energies-DATA")] = None

    def run(self) -> None:
        at_least("seed", self.seed, 0)
        for module in ("av", "matplotlib.figure", "plotly.graph_objects", "sklearn"):
            require(module)
        if self.csv is None:
            data = point_set(self.data, count=self.count, seed=self.seed)
        else:
            data = from_csv(self.csv, seed=self.seed)
        out = self.out or Path("runs") / f"energies-{data.name}"
        with writing(out):
            out.mkdir(parents=True, exist_ok=True)
        require_writable(out / REPORT)
        result = compare(data, [name.strip() for name in self.learners.split(",")], seed=self.seed)
        result.write(out)
        named = "\n".join(f"{out / name}: {what}" for name, what in result.files().items())
        print(f"{result.table()}\n\n{named}")

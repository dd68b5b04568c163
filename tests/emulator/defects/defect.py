"""What a seeded defect is."""

from __future__ import annotations

from dataclasses import dataclass

from building import Edit, Variant


@dataclass(frozen=True)
class Defect:
    """Edits of a unit, csrc/cuda/<unit>.cu with what it includes, and how a workload shows them.

    `says`: a regular expression for what is printed: an error, a report, or which result is wrong. `quick`:
    it is part of the ordinary tests, not of `make test-defects` alone.
    """

    name: str
    unit: str
    edits: tuple[Edit, ...]
    workload: str
    variant: Variant
    says: str
    seed: int = 0
    quick: bool = False


def defect(
    name: str,
    where: str,
    old: str,
    new: str,
    workload: str,
    variant: Variant,
    says: str,
    *,
    seed: int = 0,
    quick: bool = False,
    more: tuple[Edit, ...] = (),
) -> Defect:
    """One edit in most; `where` is "unit file", of which the file is one of csrc/cuda."""
    unit, file = where.split()
    edits = (Edit(f"cuda/{file}", old, new), *more)
    return Defect(name, unit, edits, workload, variant, says, seed, quick)

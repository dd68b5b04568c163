"""Each seeded defect of a kernel is detected, and without it the same kernels are right."""

from __future__ import annotations

import functools
import re

import pytest
from building import Variant, library_of, not_configured
from defects import DEFECTS, SHORTENED, Defect
from running import Outcome, run_workload

pytestmark = pytest.mark.skipif(bool(not_configured()), reason=not_configured())


@functools.cache
def control(unit: str, workload: str, variant: Variant, seed: int) -> Outcome:
    """The workload on the kernels as they are, but for what every copy leaves out."""
    library = library_of(variant, unit, SHORTENED[unit], f"{unit}_as_it_is")
    return run_workload(workload, library, variant, seed)


def parameter(defect: Defect) -> object:
    marks = () if defect.quick else (pytest.mark.defects,)
    return pytest.param(defect, id=defect.name.replace(" ", "-"), marks=marks)


@pytest.mark.parametrize("defect", map(parameter, DEFECTS))
def test_a_defect_is_detected(defect: Defect) -> None:
    right = control(defect.unit, defect.workload, defect.variant, defect.seed)
    assert right.right, f"the kernels as they are fail at {defect.workload}:\n{right.said}"
    name = re.sub(r"\W+", "_", defect.name)
    library = library_of(defect.variant, defect.unit, (*SHORTENED[defect.unit], *defect.edits), name)
    outcome = run_workload(defect.workload, library, defect.variant, defect.seed)
    assert not outcome.right, f"nothing shows {defect.name}"
    assert re.search(defect.says, outcome.said), f"detected, but not by {defect.says!r}:\n{outcome.said}"


def test_names_are_unique() -> None:
    names = [re.sub(r"\W+", "_", defect.name) for defect in DEFECTS]
    assert len(set(names)) == len(names) >= 24

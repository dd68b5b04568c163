"""`python -m benchmarks` runs every benchmark that there is, of operators and of systems."""

from __future__ import annotations

from pathlib import Path

import benchmarks
from benchmarks.__main__ import BENCHMARKS
from ebgan.systems import SYSTEMS
from ebgan_kernels.families import OPERATOR_FAMILIES

FILES = {path.stem for path in Path(benchmarks.__file__).parent.glob("bench_*.py")}


def test_every_file_of_a_benchmark_is_run_once():
    assert len(FILES) > 9 and sorted(BENCHMARKS) == sorted(FILES)


def test_every_operator_family_and_every_system_is_measured():
    for name in (*OPERATOR_FAMILIES, *(system.name for system in SYSTEMS)):
        assert any(file == f"bench_{name}" or file.startswith(f"bench_{name}_") for file in BENCHMARKS)

"""Seeded defects: each changes the code and no text or annotation, and those of a seed repeat."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import seeded_defects  # noqa: E402

SOURCE = b'''"""Text with 5 and a < b."""
def f(a: int = 3, *, b: bool = True) -> list[int]:
    if a < 2 and b:
        return g(a + 1, size=a)
    raise ValueError(f"a is {a + 1}")
'''


def test_defects_are_where_the_meaning_is_and_leave_valid_code() -> None:
    changed = []
    for start, end, new in seeded_defects._in_python(SOURCE):
        content = SOURCE[:start] + new + SOURCE[end:]
        ast.parse(content)
        assert content != SOURCE and content.startswith(b'"""Text with 5 and a < b."""')
        assert b'raise ValueError(f"a is {a + 1}")' in content
        changed.append(content.splitlines())
    lines = {line.strip() for content in changed for line in content}
    assert {
        b"if a <= 2 and b:",
        b"if a < 2 or b:",
        b"if a < 3 and b:",
        b"if not (a < 2 and b):",
        b"return g(a - 1, size=a)",
        b"return g(a + 1, )",
        b"def f(a: int = 4, *, b: bool = True) -> list[int]:",
        b"def f(a: int = 3, *, b: bool = False) -> list[int]:",
    } <= lines


def test_defects_in_cpp_leave_comments_alone() -> None:
    source = b"// a < b\nif (a < b) c += d;  // e + f\n#include <x>\n"
    found = [(source[start:end], new) for start, end, new in seeded_defects._in_cpp(source)]
    assert found == [(b" < ", b" <= "), (b" += ", b" -= ")]


@pytest.mark.parametrize("area", seeded_defects.AREAS)
def test_every_area_has_sources_and_tests(area: str) -> None:
    picks = seeded_defects.chosen([area], 4, seed=1)
    assert len(picks) == 4 and picks == seeded_defects.chosen([area], 4, seed=1) != seeded_defects.chosen(
        [area], 4, seed=2
    )
    for pattern in seeded_defects.AREAS[area][1].split():
        assert list(ROOT.glob(pattern))
    for _, defect in picks:
        assert "became" in defect.described((ROOT / defect.file).read_bytes())


def test_defects_are_shared_out_among_the_areas() -> None:
    counts = Counter(area for area, _ in seeded_defects.chosen(list(seeded_defects.AREAS), 150, seed=0))
    assert (
        set(counts) == set(seeded_defects.AREAS) and 140 <= counts.total() <= 160 and min(counts.values()) > 2
    )

"""Defects that can be put into the code: where they are, what they change, which of them the seed chooses.

A defect is a small change: another comparison, operator, number or truth value, an argument that is not
passed on, a condition turned round; in C++ another comparison or operator. They are shared out among the
areas below.
"""

from __future__ import annotations

import ast
import random
import re
import runpy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Read and not imported: processes that test a copy of the package must not have this one.
OPERATOR_FAMILIES = runpy.run_path(str(ROOT / "ebgan_kernels" / "families.py"))["OPERATOR_FAMILIES"]

# Sources of an area, and its tests.
DEFAULTS, OF_OPERATORS = "tests/test_defaults.py", "tests/ops/test_operator_defaults.py"
OPTIONS = "tests/training/test_every_option.py"
AREAS: dict[str, tuple[str, str]] = {
    "data": ("python/ebgan/data/*.py", f"tests/data {DEFAULTS}"),
    "training": ("python/ebgan/training/*.py", f"tests/training {DEFAULTS}"),
    "gan": ("python/ebgan/gan/*.py", f"tests/gan/test_*.py {OPTIONS} {DEFAULTS}"),
    "scores": ("python/ebgan/gan/scores/*.py", f"tests/gan/scores {DEFAULTS}"),
    "ladder": ("python/ebgan/ladder/*.py", f"tests/ladder {OPTIONS} {DEFAULTS}"),
    "video": ("python/ebgan/video/*.py", f"tests/video {OPTIONS} {DEFAULTS}"),
    "disentangle": ("python/ebgan/disentangle/*.py", f"tests/disentangle {OPTIONS} {DEFAULTS}"),
    "energies": ("python/ebgan/energies/*.py", f"tests/energies {DEFAULTS}"),
    **{
        f"{family} in Python": (
            f"ebgan_kernels/*/{family}*.py",
            f"tests/ops/test_{family}*.py tests/reference/test_{family}.py {OF_OPERATORS}",
        )
        for family in OPERATOR_FAMILIES
    },
    **{
        f"{family} in C++": (
            f"csrc/cpu/{family}*.* csrc/math/{family}*.h csrc/operators/{family}*.h",
            f"tests/ops/test_{family}*.py",
        )
        for family in OPERATOR_FAMILIES
        if family != "valid_conv"  # which has kernels on CUDA alone
    },
}
EXCEPT = "triton/"  # the interpreter's tests take another run
COMPARISONS = {
    "is not": "is",
    "not in": "in",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "is": "is not",
    "in": "not in",
}
OPERATORS = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "//": "*",
    "%": "*",
    "**": "*",
    "&": "|",
    "|": "&",
    "@": "*",
}
IN_CPP = {" < ": " <= ", " > ": " >= ", " == ": " != ", " != ": " == ", " && ": " || ", " || ": " && "}
IN_CPP |= {" + ": " - ", " - ": " + ", " * ": " / ", " += ": " -= ", "++": "--"}


@dataclass(frozen=True)
class Defect:
    """The bytes from `start` to `end` of `file` become `new`."""

    file: Path
    start: int
    end: int
    new: bytes

    def described(self, content: bytes) -> str:
        """The place and the change, on one line."""
        line = content.count(b"\n", 0, self.start) + 1
        begin, stop = content.rfind(b"\n", 0, self.start) + 1, content.find(b"\n", self.end)
        before = content[begin:stop].decode()
        after = (content[begin : self.start] + self.new + content[self.end : stop]).decode()
        return f"{self.file}:{line}: `{' '.join(before.split())}` became `{' '.join(after.split())}`"


def defects_of(file: Path) -> list[Defect]:
    content = (ROOT / file).read_bytes()
    places = _in_python(content) if file.suffix == ".py" else _in_cpp(content)
    return [Defect(file, *place) for place in places]


def _in_cpp(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    start = 0
    for line in content.splitlines(keepends=True):
        code = line.split(b"//")[0]
        if not code.lstrip().startswith((b"#", b"template", b"static_assert")):
            for old, new in IN_CPP.items():
                for match in re.finditer(re.escape(old.encode()), code):
                    yield start + match.start(), start + match.end(), new.encode()
        start += len(line)


def _in_python(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    lines = [0]
    for line in content.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))

    def place(node: ast.expr) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset

    def between(left: ast.expr, right: ast.expr, changes: dict[str, str]) -> Iterator[tuple[int, int, bytes]]:
        start, end = place(left)[1], place(right)[0]
        for old in sorted(changes, key=len, reverse=True):
            found = re.search(
                rb"(?<![\w*/<>=!])" + re.escape(old.encode()) + rb"(?![\w*/=])", content[start:end]
            )
            if found:
                yield start + found.start(), start + found.end(), changes[old].encode()
                return

    for node in _code(ast.parse(content)):
        if isinstance(node, ast.Compare):
            yield from between(node.left, node.comparators[0], COMPARISONS)
        elif isinstance(node, ast.BinOp):
            yield from between(node.left, node.right, OPERATORS)
        elif isinstance(node, ast.BoolOp):
            yield from between(node.values[0], node.values[1], {"and": "or", "or": "and"})
        elif isinstance(node, (ast.IfExp, ast.If)):
            yield (*place(node.test), b"not (" + content[slice(*place(node.test))] + b")")
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            yield (*place(node), str(not node.value).encode())
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield (*place(node), repr(node.value + 1).encode())
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:  # an argument that is not passed on
                start, end = lines[keyword.lineno - 1] + keyword.col_offset, place(keyword.value)[1]
                if keyword.arg is not None:
                    after = re.match(rb"\s*,\s*", content[end:])
                    yield start, end + (after.end() if after else 0), b""


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes but for texts, annotations, errors and the decorators of classes."""
    if isinstance(tree, (ast.JoinedStr, ast.Raise, ast.Assert, ast.Subscript)):
        return
    yield tree
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _code(child)


def chosen(areas: Sequence[str], count: int, seed: int) -> list[tuple[str, Defect]]:
    """`count` defects, shared out among the areas as the square roots of what each offers."""
    offered: dict[str, list[Defect]] = {}
    for area in areas:
        files = sorted({file for pattern in AREAS[area][0].split() for file in ROOT.glob(pattern)})
        kept = [file.relative_to(ROOT) for file in files if EXCEPT not in file.as_posix()]
        offered[area] = [defect for file in kept for defect in defects_of(file)]
    weights = {area: len(each) ** 0.5 for area, each in offered.items()}
    picks: list[tuple[str, Defect]] = []
    for area, each in offered.items():
        share = max(1, round(count * weights[area] / sum(weights.values())))
        sample = random.Random(f"{seed} {area}").sample(each, min(share, len(each)))
        picks += [(area, defect) for defect in sample]
    random.Random(seed).shuffle(picks)  # so that a part of the table is a fair one
    return picks

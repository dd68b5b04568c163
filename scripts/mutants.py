#!/usr/bin/env python3
"""Puts defects into a copy of the code, one at a time, and tells which the tests do not notice.

    python scripts/mutants.py --count 150 --seed 0 --out scripts/mutants.md

A defect is a small change at a place chosen by the seed: another comparison, operator, number or truth value,
an argument that is not passed on, a condition turned round; in C++ another comparison or operator. They are
shared out among the areas below. Only the tests of the area run, and stop at the first failure; a defect
whose tests take ten times as long as without it counts as noticed, too. For each one in C++ the CPU library
is compiled. The result is a table and the list of the survivors, each with its change: an equivalent one,
which no test can notice, is a survivor as well.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from ebgan_kernels.families import OPERATOR_FAMILIES  # noqa: E402

# Sources of an area, and its tests.
AREAS: dict[str, tuple[str, str]] = {
    "data": ("python/ebgan/data/*.py", "tests/data"),
    "training": ("python/ebgan/training/*.py", "tests/training"),
    "gan": (
        "python/ebgan/gan/*.py python/ebgan/gan/scores/*.py",
        "tests/gan tests/training/test_every_option.py",
    ),
    "ladder": ("python/ebgan/ladder/*.py", "tests/ladder tests/training/test_every_option.py"),
    "video": ("python/ebgan/video/*.py", "tests/video tests/training/test_every_option.py"),
    "disentangle": ("python/ebgan/disentangle/*.py", "tests/disentangle tests/training/test_every_option.py"),
    "energies": ("python/ebgan/energies/*.py", "tests/energies"),
    **{
        f"{family} in Python": (
            f"ebgan_kernels/*/{family}*.py",
            f"tests/ops/test_{family}*.py tests/reference/test_{family}.py",
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
SLOWER = 10


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


class Copy:
    """A copy of the tracked files and of the compiled libraries, in which defects are put and tests run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
        built = [
            *ROOT.glob("ebgan_kernels/*.so"),
            *ROOT.glob("python/ebgan/*.so"),
            ROOT / "ebgan_kernels/build.json",
        ]
        for name in [*tracked, *(str(path.relative_to(ROOT)) for path in built)]:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
        path = os.pathsep.join([str(folder), str(folder / "python")])
        self.environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "CI": "1"}

    def test(self, tests: str, timeout: float | None) -> bool:
        """Whether the tests pass in time."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *self.files(tests)]
        try:
            done = subprocess.run(
                command, cwd=self.folder, env=self.environment, capture_output=True, timeout=timeout
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def files(self, tests: str) -> list[str]:
        """The files and folders of tests that the patterns name."""
        return [str(path) for pattern in tests.split() for path in sorted(self.folder.glob(pattern))]

    def build(self) -> bool:
        """Compile the CPU library; False where the compiler refuses the defect."""
        build = self.folder / "build"
        torch_root = subprocess.check_output(
            [sys.executable, "-c", "import pathlib, torch; print(pathlib.Path(torch.__file__).parent)"],
            text=True,
        ).strip()
        configure = ["cmake", "-S", ".", "-B", str(build), "-DEBGAN_HOST=OFF", f"-DTORCH_ROOT={torch_root}"]
        environment = self.environment | {"EBGAN_KERNELS_CUDA": "off"}
        for command in (
            [*configure, f"-DPython_EXECUTABLE={sys.executable}", "-DCMAKE_BUILD_TYPE=Release"],
            ["cmake", "--build", str(build), "--target", "_C_cpu"],
        ):
            if subprocess.run(command, cwd=self.folder, env=environment, capture_output=True).returncode:
                return False
        library = next(build.rglob("_C_cpu.so"))
        shutil.copy2(library, self.folder / "ebgan_kernels" / library.name)
        return True


def outcome(copy: Copy, defect: Defect, tests: str, timeout: float) -> str:
    """ "noticed", "survived", or "no code" where the change does not compile."""
    file = copy.folder / defect.file
    content = file.read_bytes()
    file.write_bytes(content[: defect.start] + defect.new + content[defect.end :])
    in_cpp = file.suffix != ".py"
    try:
        if not in_cpp:
            try:
                compile(file.read_bytes(), str(file), "exec")
            except SyntaxError:
                return "no code"
        elif not copy.build():
            return "no code"
        return "survived" if copy.test(tests, timeout) else "noticed"
    finally:
        file.write_bytes(content)
        if in_cpp:
            os.utime(file)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=150, help="defects over all areas")
    parser.add_argument("--seed", type=int, default=0, help="chooses the defects")
    parser.add_argument(
        "--areas", nargs="+", choices=AREAS, default=list(AREAS), help="which areas; default: all"
    )
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no defect after so long")
    parser.add_argument(
        "--out", type=Path, required=True, help="file of the table, rewritten after each defect"
    )
    options = parser.parse_args()
    began = time.monotonic()
    picks = chosen(options.areas, options.count, options.seed)
    counts = {area: {"noticed": 0, "survived": 0, "no code": 0} for area in options.areas}
    survivors: list[str] = []
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for number, (area, defect) in enumerate(picks, 1):
            if time.monotonic() - began > 60 * options.minutes:
                break
            tests = AREAS[area][1]
            if area not in seconds:
                started = time.monotonic()
                if not copy.test(tests, None):
                    raise SystemExit(f"the tests of {area} fail without a defect")
                seconds[area] = time.monotonic() - started
            came = outcome(copy, defect, tests, SLOWER * seconds[area] + 60)
            counts[area][came] += 1
            told = defect.described((ROOT / defect.file).read_bytes())
            print(f"{number}/{len(picks)} {area}: {came}: {told}", flush=True)
            if came == "survived":
                survivors.append(f"- {told}")
            options.out.write_text(table(counts, survivors, options, len(picks)))


def table(
    counts: dict[str, dict[str, int]], survivors: list[str], options: argparse.Namespace, planned: int
) -> str:
    total = {kind: sum(each[kind] for each in counts.values()) for kind in ("noticed", "survived")}
    done = sum(total.values())
    lines = [
        "# Seeded defects",
        "",
        f"`python scripts/mutants.py --count {options.count} --seed {options.seed}`: {planned} chosen, "
        f"{done} tried, {total['noticed']} noticed, {total['noticed'] / max(done, 1):.0%} "
        f"({time.strftime('%Y-%m-%d')}).",
        "",
        "| area | defects | noticed |",
        "|---|---|---|",
    ]
    for area, each in counts.items():
        if each["noticed"] + each["survived"]:
            lines.append(f"| {area} | {each['noticed'] + each['survived']} | {each['noticed']} |")
    return "\n".join([*lines, "", "Survivors:", "", *survivors]) + "\n"


if __name__ == "__main__":
    main()
